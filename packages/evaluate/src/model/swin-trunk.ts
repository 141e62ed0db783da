import { cellsOf, type ImageSpec, type SwinArchitecture } from '@mimlab/core';
import { denseSwin, layerNorm, linear, normParams, patchEmbedParams, patchGrid, patchify, patchValues, SWIN_EPSILON, swinLayers, swinStages, swinStagesParams, torchUniform, type SwinStage } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Trunk } from './trunk.js';

/** Swin on whole grids; its tokens are the cells of the last stage. Source: official SimMIM, swin_transformer.py. */
export function swinTrunk(architecture: SwinArchitecture, image: ImageSpec): Trunk {
  const { patch, width, depths } = architecture;
  const stages = swinStages({ ...architecture, grid: patchGrid(image, patch) });
  const last = stages[stages.length - 1] as SwinStage;
  const uniform = torchUniform(patchValues(patch, image.channels));
  return {
    width: last.width,
    blocks: last.firstBlock + last.depth,
    cls: false,
    layerOf: swinLayers(depths),
    params: () => ({
      ...patchEmbedParams('patch_embed.proj', patch, image.channels, width, { weight: uniform, bias: uniform }),
      ...normParams('patch_embed.norm', width),
      ...swinStagesParams('', stages),
      ...normParams('norm', last.width),
    }),
    tokens(images_BHWC, params, residual) {
      const [batch] = images_BHWC.shape;
      const embedded = layerNorm(linear(patchify(images_BHWC, patch), params, 'patch_embed.proj'), params, 'patch_embed.norm', SWIN_EPSILON);
      const outs = denseSwin(embedded, params, stages, { batch, prefix: '', ...(residual === undefined ? {} : { residual }) });
      return tf.reshape(outs[outs.length - 1] as Tensor2D, [batch, cellsOf(last.grid), last.width]);
    },
    norm: (rows_MD, params) => layerNorm(rows_MD, params, 'norm', SWIN_EPSILON),
  };
}
