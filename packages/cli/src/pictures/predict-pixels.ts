import {
  CompositionError,
  ConfigError,
  hostTargetInputs,
  objectiveBatch,
  randomStream,
  stackPlans,
  type Crop,
  type HostTensor,
  type ImageSpec,
  type Objective,
  type PixelStatistics,
  type SampleContext,
  type TokenCells,
  type TokenPlan,
} from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { hookRandomness } from '@mimlab/train';
import { denormalise, denormalisePatches, normalise, patchify, patchStatistics, unpatchify, visibleStatistics } from './patches.js';
import type { PicturePixels, ReconstructionRow } from './reconstruction-grid.js';

/** Where mean and deviation of hidden patches come from when patch-normalised predictions are drawn. */
export const STATISTICS = ['visible', 'oracle'] as const;
export type Statistics = (typeof STATISTICS)[number];

export interface PredictPixelsOptions {
  readonly objective: Objective;
  /** Holds the parameters. */
  readonly engine: Engine;
  readonly statistics: PixelStatistics;
  /** Already cut to the run's size: uint8, [height, width, channels] each. */
  readonly images: readonly Uint8Array[];
  readonly seed: number;
  readonly source: Statistics;
  /** For samplers that follow attention, once they do: what they keep of each image (`SampleContext.state`). */
  readonly states?: readonly Float32Array[];
}

/** Mid grey, for cells nothing was predicted for. */
const UNKNOWN = 128;

/**
 * Hides, throws and reconstructs images as in training; the visible patches of a reconstruction are those of the image.
 * @throws ConfigError if what the run predicts is no picture
 */
export async function predictPixels(options: PredictPixelsOptions): Promise<ReconstructionRow[]> {
  const { objective, engine, statistics, images } = options;
  const { picture } = objective.target;
  if (picture === undefined) {
    throw new ConfigError('the target of this run predicts no pixels', { place: 'method', remedy: 'Only runs whose target is the image itself can be drawn.' });
  }
  const plans = makePlans(options);
  let cells: TokenCells | undefined;
  const step = engine.compile({
    name: 'reconstruct',
    state: Object.keys(objective.params()),
    compute(state, inputs) {
      const { predictions } = objective.evaluate(objectiveBatch(inputs, objective, statistics), state, false);
      const prediction = predictions[picture.branch];
      const values = prediction?.values[picture.values];
      if (values === undefined) throw new CompositionError(`the decoder predicts nothing named '${picture.branch}.${picture.values}'`, { place: 'hooks.decoder' });
      cells = prediction?.cells;
      return { outputs: { values } };
    },
  });
  try {
    const { outputs } = await step.run(stepInputs(options, plans), { outputs: ['values'] });
    const values = outputs['values'] as HostTensor;
    const [, tokens = 0, each = 0] = values.shape;
    return images.map((image, index) => {
      const plan = plans[index] as TokenPlan;
      const predicted = (values.data as Float32Array).subarray(index * tokens * each, (index + 1) * tokens * each);
      return reconstructionRow(options, image, plan, onGrid(predicted, each, plan, cells ?? 'grid'));
    });
  } finally {
    step.dispose();
  }
}

/** The run's own sampler; `reconstruct` keeps these masks apart from those of any epoch of training. */
function makePlans({ objective: { sampler, grid, image }, images, seed, states }: PredictPixelsOptions): TokenPlan[] {
  const { height, width } = image;
  const crop: Crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  const planOf = (sampleId: number): TokenPlan => {
    const streams = { mask: randomStream(seed, 'reconstruct', 'mask', sampleId), sample: randomStream(seed, 'reconstruct', 'sample', sampleId) };
    const state = states?.[sampleId];
    const context: SampleContext = { grid, streams, sampleId, epoch: 0, crop, ...(state === undefined ? {} : { state }) };
    return sampler.sample(context);
  };
  const shared = sampler.scope === 'batch' ? planOf(0) : undefined;
  return images.map((_, sampleId) => shared ?? planOf(sampleId));
}

/** Images [height, width, channels] as one batch. */
export function stackImages(images: readonly Uint8Array[], { height, width, channels }: ImageSpec): HostTensor {
  const data = new Uint8Array(images.length * height * width * channels);
  images.forEach((image, index) => {
    data.set(image, index * height * width * channels);
  });
  return { shape: [images.length, height, width, channels], dtype: 'uint8', data };
}

function stepInputs({ objective, images, seed }: PredictPixelsOptions, plans: readonly TokenPlan[]): Record<string, HostTensor> {
  return {
    images: stackImages(images, objective.image),
    ...stackPlans(plans, { shared: objective.sampler.scope === 'batch' }),
    ...hookRandomness(objective, images.length, seed, 1, 0),
    ...hostTargetInputs(objective.target, images),
  };
}

/** Predictions in raster order of the whole grid; NaN where there is none. */
function onGrid(predicted: Float32Array, each: number, plan: TokenPlan, cells: TokenCells): { readonly data: Float32Array; readonly each: number } {
  if (cells === 'grid') return { data: predicted, each };
  const order = cells === 'retained' ? plan.retained : Int32Array.of(...plan.visible, ...plan.retained);
  const data = new Float32Array(plan.grid.rows * plan.grid.columns * each).fill(Number.NaN);
  order.forEach((cell, token) => {
    data.set(predicted.subarray(token * each, (token + 1) * each), cell * each);
  });
  return { data, each };
}

function reconstructionRow(options: PredictPixelsOptions, image: Uint8Array, plan: TokenPlan, predicted: { readonly data: Float32Array; readonly each: number }): ReconstructionRow {
  const { objective, statistics, source } = options;
  const layout = { image: objective.image, grid: objective.grid };
  const original = patchify(normalise(image, statistics), layout);
  let patches = predicted;
  if (objective.target.picture?.standardized === true) {
    const own = patchStatistics(original);
    patches = denormalisePatches(predicted, source === 'oracle' ? own : visibleStatistics(own, plan.visible, plan.grid));
  }
  const pixels = denormalise(unpatchify(patches, layout), statistics);
  const unknown = unpatchify({ data: predicted.data.map((value) => Number(Number.isNaN(value))), each: predicted.each }, layout);
  const shown = new Float32Array(predicted.data.length);
  for (const cell of plan.visible) shown.fill(1, cell * predicted.each, (cell + 1) * predicted.each);
  const visible = unpatchify({ data: shown, each: predicted.each }, layout);
  const pasted = pixels.map((value, at) => (visible[at] === 1 ? (image[at] as number) : unknown[at] === 1 ? UNKNOWN : value));
  const { height, width, channels } = objective.image;
  const picture = (data: Uint8Array): PicturePixels => ({ height, width, channels, pixels: data });
  return { original: picture(image), reconstruction: picture(pasted), plan };
}

/** Says, under the picture, in which space the patches were predicted and how they were brought back. */
export function pictureCaption(objective: Objective, source: Statistics): string[] {
  if (objective.target.picture?.standardized !== true) return ['predicted: pixels; visible patches pasted in'];
  const origin =
    source === 'visible'
      ? 'mean and deviation guessed from visible patches (no leak)'
      : `ORACLE: mean and deviation of the hidden patches themselves`;
  return ['predicted: patch-normalised pixels; visible patches pasted in', origin];
}
