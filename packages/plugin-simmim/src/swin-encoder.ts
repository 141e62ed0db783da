import { cellsOf, CompositionError, ConfigError, part, roleMask, type Encoder, type ImageSpec, type ParamSpecs } from '@mimlab/core';
import {
  denseSwin,
  denseSwinMacs,
  LATENT,
  layerNorm,
  linear,
  normParams,
  param,
  patchEmbedMacs,
  patchEmbedParams,
  patchGrid,
  patchify,
  patchValues,
  plainParam,
  refuseRepeats,
  sparing,
  stochasticDepth,
  SWIN_EPSILON,
  swinInit,
  swinStages,
  swinStagesParams,
  TOKENS,
  torchUniform,
  trunkParams,
  type PatchSize,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { SimMimSwinConfig } from './config.js';
import { NORM, PREFIX } from './features.js';

/**
 * SimMIM's Swin: every patch is embedded and normed, a mask token takes the place of the hidden ones, and all stages work
 * on whole grids. Plans speak of patches; the features are cells of the last stage.
 * Source: official SimMIM, swin_transformer.py and simmim.py.
 * @throws ConfigError if image, patch, window and stages do not fit each other.
 */
export function simmimSwinEncoder(config: SimMimSwinConfig, image: ImageSpec, patch: PatchSize): Encoder {
  if (patch.height !== patch.width) {
    throw new ConfigError(`patches of ${patch.height} x ${patch.width} pixels are not square`, { place: 'patchSize', remedy: 'Give swin one number.' });
  }
  const grid = patchGrid(image, patch);
  const { width, depth: depths, heads, window, mlpRatio } = config;
  const stages = swinStages({ grid, width, depths, heads, window, mlpRatio });
  const last = stages[stages.length - 1] as (typeof stages)[number];
  const values = patchValues(patch, image.channels);
  const embed = `${PREFIX}patch_embed`;
  const dropping = stochasticDepth(`${PREFIX}dropPath`, config.dropPath, last.firstBlock + last.depth);
  const spared = config.exemptTables === 'released' ? /mask_token$/ : /(mask_token|position_bias_table)$/;
  const specs = (): ParamSpecs => ({
    [`${PREFIX}mask_token`]: plainParam([1, 1, width], swinInit),
    // The official initialisation passes convolutions over: PyTorch's default stays.
    ...patchEmbedParams(`${embed}.proj`, patch, image.channels, width, { weight: torchUniform(values), bias: torchUniform(values) }),
    ...normParams(`${embed}.norm`, width),
    ...swinStagesParams(PREFIX, stages),
    ...normParams(NORM, last.width),
  });

  return {
    grid,
    features: {
      [TOKENS]: { width: last.width, cells: 'grid', cls: false, grid: last.grid },
      [LATENT]: { width: last.width, cells: 'grid', cls: false, grid: last.grid },
    },
    output: LATENT,
    trunk: { architecture: { kind: 'swin', patch, width, depths, heads, window, mlpRatio }, params: (params) => trunkParams(params, PREFIX) },
    params: () => sparing(specs(), (name) => spared.test(name)),
    randomInputs: (batch) => dropping.randomInputs(batch),
    encode(images_BHWC, plan, params, context) {
      refuseRepeats(plan);
      if (plan.counts.thrown > 0) {
        throw new CompositionError('windows need whole grids, so no token can be thrown', { place: 'wrap', remedy: 'Use arch: vit, or throw nothing.' });
      }
      const { batch } = plan;
      const embedded = part('patch', () => linear(patchify(images_BHWC, patch), params, `${embed}.proj`));
      const normed = layerNorm(embedded, params, `${embed}.norm`, SWIN_EPSILON);
      const seen = tf.reshape(roleMask(plan, 'visible'), [batch * cellsOf(grid), 1]) as Tensor2D;
      const token = tf.reshape(param(params, `${PREFIX}mask_token`), [1, width]) as Tensor2D;
      const x = tf.add(tf.mul(normed, seen), tf.mul(tf.sub(1, seen), token)) as Tensor2D;
      const outs = denseSwin(x, params, stages, {
        batch,
        prefix: PREFIX,
        residual: (block) => dropping.rule(context, block),
      });
      const rows = outs[outs.length - 1] as Tensor2D;
      const map = (of: Tensor2D): Tensor3D => tf.reshape(of, [batch, cellsOf(last.grid), last.width]);
      return { [TOKENS]: map(rows), [LATENT]: map(layerNorm(rows, params, NORM, SWIN_EPSILON)) };
    },
    macs: () => ({ patch: patchEmbedMacs(cellsOf(grid), values, width), encoder: denseSwinMacs(stages) }),
  };
}
