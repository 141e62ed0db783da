import { cellsOf, type BeitArchitecture, type Grid, type ImageSpec, type Params, type ParamSpecs, type VitArchitecture } from '@mimlab/core';
import {
  checkHeads,
  layerNorm,
  linear,
  normal,
  normParams,
  pairsByHead,
  param,
  patchEmbedParams,
  patchGrid,
  patchify,
  plainParam,
  positionParam,
  relativePairs,
  relativeTableRows,
  repeatToken,
  scaledBlockParams,
  tokenParam,
  vitBlocks,
  vitBlocksParams,
  vitLayers,
  zeros,
  type StackRules,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Residuals, Trunk } from './trunk.js';

const TABLE = 'attn.relative_position_bias_table';

/** What the official fine-tuning models draw weights from. */
const init = normal(0.02);

/** MAE's ViT; the position table learns, from the sine-cosine values on. Source: official MAE, models_vit.py. */
export function vitTrunk(architecture: VitArchitecture, image: ImageSpec): Trunk {
  const { patch, width, depth, mlpRatio } = architecture;
  const grid = patchGrid(image, patch);
  return plainTrunk(architecture, grid, {
    params: () => ({
      cls_token: tokenParam(width),
      pos_embed: { ...positionParam(width, grid, { cls: true }), trainable: true },
      ...patchEmbedParams('patch_embed.proj', patch, image.channels, width),
      ...vitBlocksParams('blocks', depth, width, mlpRatio),
      ...normParams('norm', width),
    }),
    rules: (_, residuals) => (block) => ({ residual: residuals(block) }),
  });
}

/** BEiT's ViT with one table of relative positions a block. Source: official SimMIM, vision_transformer.py. */
export function beitTrunk(architecture: BeitArchitecture, image: ImageSpec): Trunk {
  const { patch, width, depth, heads, mlpRatio, positions, layerScale } = architecture;
  const grid = patchGrid(image, patch);
  const blockParams = (prefix: string): ParamSpecs => ({
    ...scaledBlockParams(prefix, { width, mlpRatio, layerScale, weight: init, lastWeight: init }),
    ...(positions === 'relative' ? { [`${prefix}.${TABLE}`]: plainParam([relativeTableRows(grid, true), heads], zeros) } : {}),
  });
  return plainTrunk(architecture, grid, {
    params: () => ({
      cls_token: plainParam([1, 1, width], init),
      ...(positions === 'learned' ? { pos_embed: plainParam([1, 1 + cellsOf(grid), width], init) } : {}),
      ...patchEmbedParams('patch_embed.proj', patch, image.channels, width, { weight: init, bias: zeros }),
      ...(Object.assign({}, ...Array.from({ length: depth }, (_, i) => blockParams(`blocks.${i}`))) as ParamSpecs),
      ...normParams('norm', width),
    }),
    rules: (params, residuals) => (block) => ({
      residual: residuals(block),
      scaled: layerScale?.on ?? [],
      ...(positions === 'relative' ? { bias_Ghnn: pairsByHead(relativePairs(param<Tensor2D>(params, `blocks.${block}.${TABLE}`), grid, true), 1, 1 + cellsOf(grid)) } : {}),
    }),
  });
}

interface Kind {
  readonly params: () => ParamSpecs;
  readonly rules: (params: Params, residuals: Residuals) => StackRules;
}

/** Class token and all patches through the blocks. */
function plainTrunk({ patch, width, depth, heads }: VitArchitecture | BeitArchitecture, grid: Grid, { params: specs, rules }: Kind): Trunk {
  checkHeads(width, heads);
  const embed = (images_BHWC: Tensor4D, params: Params): Tensor3D => {
    const [batch] = images_BHWC.shape;
    const patches = tf.reshape(linear(patchify(images_BHWC, patch), params, 'patch_embed.proj'), [batch, cellsOf(grid), width]);
    const sequence = tf.concat([repeatToken(param(params, 'cls_token'), batch, 1), patches], 1) as Tensor3D;
    const positions = params['pos_embed'];
    return positions === undefined ? sequence : tf.add(sequence, positions);
  };
  return {
    width,
    blocks: depth,
    cls: true,
    layerOf: vitLayers(depth),
    params: specs,
    tokens(images_BHWC, params, residuals = () => (branch) => branch) {
      const sequence = embed(images_BHWC, params);
      const [batch, tokens] = sequence.shape;
      const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]), params, 'blocks', depth, { batch, tokens, heads }, rules(params, residuals));
      return tf.reshape(rows, [batch, tokens, width]);
    },
    norm: (rows_MD, params) => layerNorm(rows_MD, params, 'norm'),
  };
}
