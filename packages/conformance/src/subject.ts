import {
  cellsOf,
  composeRun,
  createObjective,
  hostTargetInputs,
  neutralState,
  objectiveBatch,
  randomStream,
  stackPlans,
  type Configured,
  type Crop,
  type HostTensor,
  type ImageSpec,
  type NamedHostTensors,
  type NamedTensors,
  type Objective,
  type ObjectiveBatch,
  type ObjectiveOptions,
  type Params,
  type SampleContext,
  type TokenPlan,
  type WrapperPlugin,
} from '@mimlab/core';
import prMim from '@mimlab/pr-mim';
import { hookRandomness } from '@mimlab/train';
import * as tf from '@tensorflow/tfjs-core';
import { ConformanceError, type Examined } from './check.js';

/** Puts the examined plugin together, wrapped or not. */
export function objectiveOf({ plugin, settings }: Examined, wrap: readonly Configured<WrapperPlugin>[] = [], options: ObjectiveOptions = {}): Objective {
  const config = plugin.configSchema.parse(settings.config);
  return createObjective(composeRun({ image: settings.image, method: { plugin, config }, hooks: settings.complete, wrap }), options);
}

/** pr-mim with the options given, as a run has it. */
export const wrapper = (config: Readonly<Record<string, unknown>>): readonly Configured<WrapperPlugin>[] => [
  { plugin: prMim as unknown as WrapperPlugin, config: prMim.configSchema.parse(config) },
];

/**
 * Everything a sampler may look at, for sample `sampleId` of epoch 0. Streams are new at every call.
 * @param state what a sampler with a state gets: one that tells no tokens apart unless given, `{}` for none yet
 */
export function sampleContext(
  objective: Objective,
  seed: number,
  sampleId: number,
  state: Pick<SampleContext, 'state'> = neutralState(objective.sampler, objective.grid),
): SampleContext {
  const { height, width } = objective.image;
  const crop: Crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  return {
    grid: objective.grid,
    streams: { mask: randomStream(seed, 'mask', 0, sampleId), sample: randomStream(seed, 'sample', 0, sampleId) },
    sampleId,
    epoch: 0,
    crop,
    ...state,
  };
}

/** Images with structure at every place: a random plane wave for each channel, plus noise. uint8, [H, W, C]. */
export function testImage({ height, width, channels }: ImageSpec, seed: number, index: number): Uint8Array {
  const random = randomStream(seed, 'conformance-image', index);
  const waves = Array.from({ length: channels }, () => [random.uniform() * 1.5, random.uniform() * 1.5, random.uniform() * 6] as const);
  const pixels = new Uint8Array(height * width * channels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [fx, fy, phase] of waves) pixels[at++] = Math.round(128 + 80 * Math.sin(fx * x + fy * y + phase) + 40 * (random.uniform() - 0.5));
    }
  }
  return pixels;
}

/** The inputs of a step over the first images, plans and draws of the run `seed`. */
export interface SubjectBatch {
  readonly inputs: NamedHostTensors;
  readonly plans: readonly TokenPlan[];
}

/** Puts the inputs of a step together as the loader and the train loop do. */
export function makeBatch(objective: Objective, { settings }: Examined, alterPixels?: (pixels: Uint8Array, plan: TokenPlan, index: number) => void): SubjectBatch {
  const { batch, seed, image } = settings;
  const { sampler, target } = objective;
  const shared = sampler.scope === 'batch';
  const first = sampler.sample(sampleContext(objective, seed, 0));
  const plans = Array.from({ length: batch }, (_, index) => (shared || index === 0 ? first : sampler.sample(sampleContext(objective, seed, index))));
  const images = plans.map((plan, index) => {
    const pixels = testImage(image, seed, index);
    alterPixels?.(pixels, plan, index);
    return pixels;
  });
  const inputs: Record<string, HostTensor> = {
    images: { shape: [batch, image.height, image.width, image.channels], dtype: 'uint8', data: Uint8Array.from(images.flatMap((pixels) => [...pixels])) },
    ...stackPlans(plans, { shared }),
    ...hostTargetInputs(target, images),
  };
  Object.assign(inputs, hookRandomness(objective, batch, seed, 1, 0));
  return { inputs, plans };
}

/** Initial values of all parameters, in memory layout. */
export function initialValues(objective: Objective, seed: number): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(objective.params()).map(([name, { shape, init }]) => [name, { shape, dtype: 'float32' as const, data: init(shape, randomStream(seed, 'init', name)) }]),
  );
}

/** Host arrays as tensors of the current backend; uint8 becomes int32, as inside a step. */
export const toTensors = (values: NamedHostTensors): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(values).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype === 'float32' ? 'float32' : 'int32')]),
  );

/** A batch as the hooks see it. */
export const asObjectiveBatch = (inputs: NamedTensors, objective: Objective, { settings }: Examined): ObjectiveBatch =>
  objectiveBatch(inputs, objective, settings.statistics);

/** Runs `examine` eagerly on tfjs' own cpu backend with parameters and batch at hand, and frees whatever it made. */
export async function eagerly<T>(
  examined: Examined,
  objective: Objective,
  examine: (batch: ObjectiveBatch, params: Params, made: SubjectBatch) => T,
): Promise<T> {
  await useCpu();
  const made = makeBatch(objective, examined);
  let result: { readonly value: T } | undefined;
  tf.tidy(() => {
    const params = toTensors(initialValues(objective, examined.settings.seed));
    result = { value: examine(asObjectiveBatch(toTensors(made.inputs), objective, examined), params, made) };
  });
  if (result === undefined) throw new ConformanceError('the check did not run');
  return result.value;
}

/** tfjs has one backend at a time; checks state theirs. */
export async function useCpu(): Promise<void> {
  await tf.setBackend('cpu');
  await tf.ready();
}

/** Pixels of a cell of image coordinates (y, x), by the grid. */
export function cellAt(objective: Objective, y: number, x: number): number {
  const { grid, image } = objective;
  return Math.floor((y * grid.rows) / image.height) * grid.columns + Math.floor((x * grid.columns) / image.width);
}

/**
 * Puts another picture into every cell that is not visible: what an encoder must not notice. Every hidden pixel changes,
 * and so does everything that could be computed of them; an inverted patch would have the variance of the first.
 */
export function replaceHidden(objective: Objective, pixels: Uint8Array, plan: TokenPlan, other: Uint8Array): void {
  const { height, width, channels } = objective.image;
  const hidden = new Uint8Array(cellsOf(objective.grid)).fill(1);
  for (const cell of plan.visible) hidden[cell] = 0;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const replace = hidden[cellAt(objective, y, x)] === 1;
      for (let c = 0; c < channels; c++, at++) if (replace) pixels[at] = other[at] === pixels[at] ? 255 - (pixels[at] as number) : (other[at] as number);
    }
  }
}
