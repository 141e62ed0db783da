import { join } from 'node:path';
import {
  CheckpointError,
  CompositionError,
  DataError,
  fullPlan,
  normalizeImages,
  planTensors,
  readSafetensors,
  sizeOfShape,
  stackPlans,
  writeSafetensors,
  type HostTensor,
  type NamedTensors,
  type Objective,
  type PixelStatistics,
  type SamplerState,
  type SamplerStateRule,
} from '@mimlab/core';
import type { Loader } from '@mimlab/data';
import type { Engine, StepDefinition } from '@mimlab/engine';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Cursor, TrainState } from './train-state.js';

/** Samplers that follow attention keep it here. Part of a checkpoint once it was gathered. */
export const SAMPLER_STATE_FILE = 'sampler-state.safetensors';
const VALUES = 'values';

/** Whether the state is to be gathered now: before the first update of an epoch that asks for a new one. */
export const isStateDue = ({ sampler }: Objective, { epoch, batch }: Cursor, state: SamplerState | undefined): boolean =>
  sampler.state !== undefined && batch === 0 && state?.version !== epoch && sampler.state.isDueBefore(epoch);

/** The class token's attention to every token of whole images, [B, heads, N], as output `attention`. */
function attentionStep({ encoder, grid }: Objective, statistics: PixelStatistics): StepDefinition {
  return {
    name: 'attention',
    state: Object.keys(encoder.params()),
    compute(state: NamedTensors, inputs: NamedTensors) {
      const images_BHWC = normalizeImages(inputs['images'] as Tensor, statistics);
      const attention = encoder.classAttention?.(images_BHWC, planTensors(inputs, grid), state, { training: false, random: {} });
      if (attention === undefined) throw new CompositionError('the encoder offers no attention of a class token', { place: 'encoder', remedy: `Choose another sampling.` });
      return { outputs: { attention } };
    },
  };
}

export interface AttentionSource {
  readonly objective: Objective;
  /** Holds the parameters of the encoder. */
  readonly engine: Engine;
  readonly statistics: PixelStatistics;
}

export interface GatherOptions extends AttentionSource {
  readonly loader: Loader;
  /** The epoch that the state is for. */
  readonly epoch: number;
  readonly stopAsked: () => boolean;
}

const ruleOf = ({ sampler }: Objective): SamplerStateRule => {
  if (sampler.state === undefined) throw new CompositionError('the sampler keeps no state', { place: 'sampler' });
  return sampler.state;
};

/** Runs whole images, uint8 [B, H, W, C], through the encoder: what the sampler keeps of each. One shape for all batches means one compilation. */
async function withAttention<T>({ objective, engine, statistics }: AttentionSource, use: (numbersOf: (images: HostTensor) => Promise<Float32Array[]>) => Promise<T>): Promise<T> {
  const rule = ruleOf(objective);
  const step = engine.compile(attentionStep(objective, statistics));
  let plan: Record<string, HostTensor> | undefined;
  try {
    return await use(async (images) => {
      const size = images.shape[0] as number;
      plan ??= stackPlans(Array.from({ length: size }, () => fullPlan(objective.grid)));
      const { outputs } = await step.run({ images, ...plan }, { outputs: ['attention'] });
      const attention = outputs['attention'] as HostTensor;
      const [, heads, cells] = attention.shape as [number, number, number];
      const each = heads * cells;
      return Array.from({ length: size }, (_, place) => rule.fromAttention((attention.data as Float32Array).subarray(place * each, (place + 1) * each), heads));
    });
  } finally {
    step.dispose();
  }
}

/**
 * What the sampler would keep of images that are no part of the run's data set, by the encoder as it is.
 * @param images uint8 [B, H, W, C], whole, at the size of the run
 * @returns numbers for `SampleContext.state`, one array an image
 */
export const samplerStateOf = (source: AttentionSource, images: HostTensor): Promise<Float32Array[]> => withAttention(source, (numbersOf) => numbersOf(images));

/**
 * One pass over the whole images of the data set with the encoder as it is: what the sampler keeps of each of them.
 * A function of weights and data alone, so that a resumed run gathers the same again.
 * @returns undefined if it was asked to stop
 */
export async function gatherSamplerState({ loader, epoch, stopAsked, ...source }: GatherOptions): Promise<SamplerState | undefined> {
  const width = ruleOf(source.objective).width(source.objective.grid);
  // Shared memory: the loader's workers read it as it lies.
  const values = new Float32Array(new SharedArrayBuffer(4 * width * loader.dataset.size));
  // All batches have the size of the first, the last one filled up with black images.
  let pixels: Uint8Array | undefined;
  return withAttention(source, async (numbersOf) => {
    for await (const { inputs, sampleIds, release } of loader.wholeImages()) {
      try {
        if (stopAsked()) return undefined;
        const given = inputs['images'];
        if (given === undefined) throw new DataError(`the loader gives no 'images'`);
        const shape = given.shape.slice(1);
        pixels ??= new Uint8Array(given.data.length);
        pixels.fill(0);
        pixels.set(given.data as Uint8Array);
        const numbers = await numbersOf({ shape: [pixels.length / sizeOfShape(shape), ...shape], dtype: 'uint8', data: pixels });
        sampleIds.forEach((id, place) => {
          values.set(numbers[place] as Float32Array, id * width);
        });
      } finally {
        release();
      }
    }
    return { version: epoch, width, values };
  });
}

/** Writes the state into the folder of a checkpoint and brings it to the disk. Returns the file name. */
export async function writeSamplerState(folder: string, { version, width, values }: SamplerState): Promise<string> {
  const tensors = { [VALUES]: { shape: [values.length / width, width], dtype: 'float32' as const, data: values } };
  await writeSafetensors(join(folder, SAMPLER_STATE_FILE), tensors, { version: String(version) }, { fsync: true });
  return SAMPLER_STATE_FILE;
}

/**
 * The state that belongs to a checkpoint; undefined where none was gathered yet.
 * @throws CheckpointError if the file is missing, damaged, or of another version than the checkpoint says.
 */
export async function readSamplerState(folder: string, { samplerState: expected }: Pick<TrainState, 'samplerState'>): Promise<SamplerState | undefined> {
  if (expected === undefined) return undefined;
  const path = join(folder, SAMPLER_STATE_FILE);
  const { tensors, metadata } = await readSafetensors(path);
  const stored = tensors[VALUES];
  const version = Number(metadata['version']);
  if (stored?.dtype !== 'float32' || stored.shape.length !== 2 || version !== expected) {
    throw new CheckpointError(`is not version ${expected} of a sampler's state`, { place: path, remedy: 'Delete this checkpoint folder to resume from the one before.' });
  }
  const values = new Float32Array(new SharedArrayBuffer(stored.data.byteLength));
  values.set(stored.data);
  return { version, width: stored.shape[1] as number, values };
}
