import { CompositionError, fullPlan, normalizeImages, planTensors, stackPlans, type HostTensor, type NamedTensors, type Objective, type PixelStatistics } from '@mimlab/core';
import type { Loader } from '@mimlab/data';
import type { Engine, StepDefinition } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { collectRows, imagesOf, rowsOfLoader, type RowProgress, type RowReaderOptions } from './loader-rows.js';

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

export interface EncodingOptions {
  readonly objective: Pick<Objective, 'encoder' | 'grid'>;
  /** Holds the parameters of the encoder, under their own names. */
  readonly engine: Engine;
  readonly pool: Pool;
  /** Float32 [pooled width, width]: pooled features are multiplied with it batch by batch, before they are stored. */
  readonly directions?: HostTensor;
  /** Mean and deviation that images are normalised with. */
  readonly statistics: PixelStatistics;
}

export interface ExtractOptions extends Omit<EncodingOptions, 'statistics'> {
  /** Unshuffled, without plans; the last batch may be short. Stays open. */
  readonly loader: Loader;
  /** Those of the data set unless given. */
  readonly statistics?: PixelStatistics;
  readonly progress?: RowProgress;
}

/**
 * What reads pooled features of whole images off an encoder: every patch is visible, nothing is masked.
 * @throws CompositionError if the class token is asked for and the encoder has none
 */
export const featureReader = ({ objective, engine, pool, directions, statistics }: EncodingOptions): RowReaderOptions => ({
  engine,
  step: encodingStep(objective, statistics, pool),
  output: 'features',
  extra: (batch) => ({
    ...stackPlans(Array.from({ length: batch }, () => fullPlan(objective.grid))),
    ...(directions === undefined ? {} : { directions }),
  }),
});

/** Features of whole images, pooled. The encoder stays as it is. @throws CompositionError as `featureReader` */
export const extractFeatures = async ({ loader, statistics = loader.dataset.statistics, progress, ...options }: ExtractOptions): Promise<Features> =>
  rowsOfLoader({ ...featureReader({ ...options, statistics }), loader, ...(progress === undefined ? {} : { progress }) });

/** The pixels themselves, normalised, as features: what an encoder has to beat. */
export function pixelFeatures(loader: Loader, { mean, std }: PixelStatistics = loader.dataset.statistics): Promise<Features> {
  return collectRows(loader, async (batch) => {
    const { data } = imagesOf(batch);
    return Float32Array.from(data, (value, at) => (value / 255 - (mean[at % mean.length] as number)) / (std[at % std.length] as number));
  });
}

function encodingStep({ encoder, grid }: Pick<Objective, 'encoder' | 'grid'>, statistics: PixelStatistics, pool: Pool): StepDefinition {
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
