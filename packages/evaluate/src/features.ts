import { CompositionError, DataError, fullPlan, normalizeImages, planTensors, sizeOfShape, stackPlans, type HostTensor, type NamedTensors, type Objective, type PixelStatistics } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import type { Engine, StepDefinition } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';

/** One row for each sample, in the order of the loader. */
export interface Features {
  /** [count, width], row-major. */
  readonly values: Float32Array;
  readonly width: number;
  readonly count: number;
  readonly labels: Int32Array;
}

/**
 * How a sequence of tokens becomes one vector: the class token, the mean of the patch tokens, or all patch tokens one
 * after the other in raster order, which keeps where things are.
 */
export type Pool = 'cls' | 'mean' | 'tokens';

export interface ExtractOptions {
  readonly objective: Objective;
  /** Holds the parameters of the encoder, under their own names. */
  readonly engine: Engine;
  /** Unshuffled, without plans; the last batch may be short. Stays open. */
  readonly loader: Loader;
  readonly pool: Pool;
  /** Float32 [pooled width, width]: pooled features are multiplied with it batch by batch, before they are stored. */
  readonly directions?: HostTensor;
  /** Mean and deviation that images are normalised with; those of the data set unless given. */
  readonly statistics?: PixelStatistics;
}

/**
 * Features of whole images: every patch is visible, nothing is masked, and the encoder's output is pooled. The encoder
 * stays as it is.
 * @throws CompositionError if the class token is asked for and the encoder has none
 */
export async function extractFeatures({ objective, engine, loader, pool, directions, statistics = loader.dataset.statistics }: ExtractOptions): Promise<Features> {
  const step = engine.compile(encodingStep(objective, statistics, pool));
  try {
    // All batches have the size of the first, the last one filled up with black images: one shape, one compilation.
    let plan: Record<string, HostTensor> | undefined;
    let images: Uint8Array | undefined;
    return await collect(loader, async (batch) => {
      const given = imagesOf(batch);
      const [count, ...shape] = given.shape as [number, ...number[]];
      images ??= new Uint8Array(given.data.length);
      const size = images.length / sizeOfShape(shape);
      plan ??= stackPlans(Array.from({ length: size }, () => fullPlan(objective.grid)));
      images.fill(0);
      images.set(given.data as Uint8Array);
      const { outputs } = await step.run({ images: { shape: [size, ...shape], dtype: 'uint8', data: images }, ...plan, ...(directions === undefined ? {} : { directions }) }, { outputs: ['features'] });
      const { shape: pooled, data } = outputs['features'] as HostTensor;
      return (data as Float32Array).subarray(0, count * (pooled[1] as number));
    });
  } finally {
    step.dispose();
  }
}

/** The pixels themselves, normalised, as features: what an encoder has to beat. */
export function pixelFeatures(loader: Loader, { mean, std }: PixelStatistics = loader.dataset.statistics): Promise<Features> {
  return collect(loader, async (batch) => {
    const { data } = imagesOf(batch);
    return Float32Array.from(data, (value, at) => (value / 255 - (mean[at % mean.length] as number)) / (std[at % std.length] as number));
  });
}

function encodingStep({ encoder, grid }: Objective, statistics: PixelStatistics, pool: Pool): StepDefinition {
  const { output } = encoder;
  const spec = encoder.features[output];
  if (spec === undefined) throw new CompositionError(`the encoder has no feature '${output}' that evaluation could read`, { place: 'encoder' });
  if (pool === 'cls' && !spec.cls) {
    throw new CompositionError('the encoder has no class token', { place: 'pool', remedy: `Pool with 'mean' or 'tokens'.` });
  }
  return {
    name: 'encode',
    state: Object.keys(encoder.params()),
    compute(state: NamedTensors, inputs: NamedTensors) {
      const images_BHWC = normalizeImages(inputs['images'] as tf.Tensor, statistics);
      const features = encoder.encode(images_BHWC, planTensors(inputs, grid), state, { training: false, random: {} });
      const tokens_BSD = features[output] as tf.Tensor3D;
      const [B, S, D] = tokens_BSD.shape;
      const pooled = pooledTokens(pool === 'cls' ? tf.slice(tokens_BSD, [0, 0, 0], [B, 1, D]) : patchTokens(tokens_BSD, spec.cls ? S - 1 : S), pool);
      const { directions } = inputs;
      return { outputs: { features: directions === undefined ? pooled : tf.matMul(pooled, directions as tf.Tensor2D) } };
    },
  };
}

/** The last `count` tokens: those of the patches come after the class token. */
function patchTokens(tokens_BSD: tf.Tensor3D, count: number): tf.Tensor3D {
  const [B, S, D] = tokens_BSD.shape;
  return tf.slice(tokens_BSD, [0, S - count, 0], [B, count, D]);
}

const pooledTokens = (tokens_BSD: tf.Tensor3D, pool: Pool): tf.Tensor2D => (pool === 'mean' ? tf.mean(tokens_BSD, 1) : tf.reshape(tokens_BSD, [tokens_BSD.shape[0], -1]));

function imagesOf(batch: LoaderBatch): HostTensor {
  const images = batch.inputs['images'];
  if (images === undefined) throw new DataError(`the loader gives no 'images'`);
  return images;
}

/** Goes once through the loader and puts the rows of its batches together. */
async function collect(loader: Loader, rowsOf: (batch: LoaderBatch) => Promise<Float32Array>): Promise<Features> {
  const labels = new Int32Array(loader.size);
  let values = new Float32Array(0);
  let count = 0;
  for await (const batch of loader.epoch(0)) {
    try {
      const rows = await rowsOf(batch);
      const width = rows.length / batch.labels.length;
      if (count === 0) values = new Float32Array(loader.size * width);
      values.set(rows, count * width);
      labels.set(batch.labels, count);
      count += batch.labels.length;
    } finally {
      batch.release();
    }
  }
  if (count !== loader.size) {
    throw new DataError(`the loader gave ${count} of ${loader.size} samples`, { remedy: 'Evaluate with a loader that does not shuffle: that one keeps the last short batch.' });
  }
  return { values, width: count === 0 ? 0 : values.length / count, count, labels };
}
