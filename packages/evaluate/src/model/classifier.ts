import { CompositionError, type Architecture, type ImageSpec, type Initializer, type Params, type ParamSpecs } from '@mimlab/core';
import { layerNorm, linear, linearParams, normal, normParams, stochasticDepth, zeros, type StochasticDepth } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { trunkOf, type Residuals, type Trunk } from './trunk.js';

/** What becomes of the tokens: the class token behind the final norm, or the mean of the patch tokens. */
export type Pooling = 'cls' | 'mean';

export interface ClassifierOptions {
  readonly architecture: Architecture;
  readonly image: ImageSpec;
  readonly classes: number;
  readonly pool: Pooling;
  /** Stochastic depth of the last block. */
  readonly dropPath?: number;
  /** How the weight of the head starts: the official fine-tuning's normal(0, 2e-5) for ViTs, normal(0, 0.02) for Swin, unless given. */
  readonly headInit?: Initializer;
}

/**
 * A trunk with a linear head under the official names. ViT with `mean`: mean of the patch tokens as the last block leaves
 * them, `fc_norm`, `head`, and no `norm`; with `cls`: `norm`, class token, `head`. Swin: `norm`, mean, `head`.
 */
export interface Classifier {
  readonly trunk: Trunk;
  readonly classes: number;
  readonly pool: Pooling;
  /** Name and draws of the stochastic depth. */
  readonly depth: StochasticDepth;
  params(): ParamSpecs;
  /** What the head gets, [B, D]. */
  features(images_BHWC: Tensor4D, params: Params, residuals?: Residuals): Tensor2D;
  /** [B, classes] */
  logits(features_BD: Tensor2D, params: Params): Tensor2D;
}

/** Name of the random input of stochastic depth. */
export const DROP_PATH = 'dropPath';

/** @throws CompositionError if the class token is asked for and there is none; ConfigError if sizes do not fit */
export function createClassifier({ architecture, image, classes, pool, dropPath = 0, headInit }: ClassifierOptions): Classifier {
  const trunk = trunkOf(architecture, image);
  const { width, cls } = trunk;
  if (pool === 'cls' && !cls) throw new CompositionError('this network has no class token', { place: 'pool', remedy: `Pool with 'mean'.` });
  const freshNorm = cls && pool === 'mean';
  const weight = headInit ?? normal(cls ? 2e-5 : 0.02);
  return {
    trunk,
    classes,
    pool,
    depth: stochasticDepth(DROP_PATH, dropPath, trunk.blocks),
    params: () => ({
      ...(freshNorm ? without(trunk.params(), 'norm.') : trunk.params()),
      ...linearParams('head', width, classes, { weight, bias: zeros }),
      ...(freshNorm ? normParams('fc_norm', width) : {}),
    }),
    features(images_BHWC, params, residuals) {
      const tokens_BSD = trunk.tokens(images_BHWC, params, residuals);
      const [batch, tokens] = tokens_BSD.shape;
      if (pool === 'cls') return trunk.norm(tf.reshape(tf.slice(tokens_BSD, [0, 0, 0], [batch, 1, width]), [batch, width]), params);
      if (freshNorm) return layerNorm(tf.mean(tf.slice(tokens_BSD, [0, 1, 0], [batch, tokens - 1, width]), 1), params, 'fc_norm');
      const normed = trunk.norm(tf.reshape(tokens_BSD, [batch * tokens, width]), params);
      return tf.mean(tf.reshape(normed, [batch, tokens, width]) as Tensor3D, 1);
    },
    logits: (features_BD, params) => linear(features_BD, params, 'head'),
  };
}

const without = (specs: ParamSpecs, prefix: string): ParamSpecs => Object.fromEntries(Object.entries(specs).filter(([name]) => !name.startsWith(prefix)));
