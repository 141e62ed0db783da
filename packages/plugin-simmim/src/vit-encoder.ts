import { cellsOf, part, type Encoder, type ImageSpec, type Params, type ParamSpecs, type PlanTensors, type StepContext } from '@mimlab/core';
import {
  classAttention,
  gatherRows,
  knownPairs,
  layerNorm,
  linear,
  mlpWidth,
  normParams,
  pairsByHead,
  param,
  patchEmbedMacs,
  patchEmbedParams,
  patchGrid,
  patchify,
  patchValues,
  plainParam,
  relativePairs,
  relativeTableRows,
  repeatToken,
  visibleInverse,
  vitBlockMacs,
  zeros,
  type PatchSize,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { SimMimVitConfig } from './config.js';
import { isTable, LATENT, NORM, PREFIX, refuseRepeats, sparing, stochasticDepth, TOKENS } from './features.js';
import { biasedVitBlock, blockQkv, vitBlockParams, vitInit } from './vit-block.js';

const TABLE = `${PREFIX}rel_pos_bias.relative_position_bias_table`;

/**
 * SimMIM's ViT: class token, visible patches and a mask token for every retained cell, in known order, through all
 * blocks. One table of relative positions serves all blocks; its bias is gathered for the tokens that each image has.
 * There are no absolute positions. Source: official SimMIM, vision_transformer.py and simmim.py.
 * @throws ConfigError if the patch does not divide the image.
 */
export function simmimVitEncoder(config: SimMimVitConfig, image: ImageSpec, patch: PatchSize): Encoder {
  const { width, depth, heads, mlpRatio, layerScale, embedPatches } = config;
  const grid = patchGrid(image, patch);
  const { drop, randomInputs } = stochasticDepth(config.dropPath, depth);
  const token = plainParam([1, 1, width], vitInit);
  const intended = config.exemptTables === 'intended';
  const specs = (): ParamSpecs => ({
    [`${PREFIX}cls_token`]: token,
    [`${PREFIX}mask_token`]: token,
    ...patchEmbedParams(`${PREFIX}patch_embed.proj`, patch, image.channels, width, { weight: vitInit, bias: zeros }),
    [TABLE]: plainParam([relativeTableRows(grid, true), heads], zeros),
    ...(Object.assign({}, ...Array.from({ length: depth }, (_, i) => vitBlockParams(`${PREFIX}blocks.${i}`, i, { width, mlpRatio, layerScale }))) as ParamSpecs),
    ...normParams(NORM, width),
  });

  /** Class token and known tokens behind the first `blocks` blocks, and the bias they attend with. */
  const behindBlocks = (blocks: number, images_BHWC: Tensor4D, plan: PlanTensors, params: Params, context: StepContext) => {
    refuseRepeats(plan);
    const { batch, counts } = plan;
    const embedded = part('patch', () => {
      const patches = patchify(images_BHWC, patch);
      const take = (rows: Tensor2D): Tensor2D => gatherRows(rows, plan.visibleRows, visibleInverse(plan));
      const embed = (rows: Tensor2D): Tensor2D => linear(rows, params, `${PREFIX}patch_embed.proj`);
      return embedPatches === 'visible' ? embed(take(patches)) : take(embed(patches));
    });
    const repeated = (name: string, tokens: number): Tensor3D => repeatToken(param(params, PREFIX + name), batch, tokens);
    const visible_BVD = tf.reshape(embedded, [batch, counts.visible, width]) as Tensor3D;
    const hidden = counts.retained === 0 ? [] : [repeated('mask_token', counts.retained)];
    const tokens = 1 + counts.visible + counts.retained;
    let x: Tensor2D = tf.reshape(tf.concat([repeated('cls_token', 1), visible_BVD, ...hidden], 1), [batch * tokens, width]);
    const bias = pairsByHead(knownPairs(relativePairs(param<Tensor2D>(params, TABLE), grid, true), plan), batch, tokens);
    for (let i = 0; i < blocks; i++) {
      x = biasedVitBlock(x, params, `${PREFIX}blocks.${i}`, { batch, tokens, heads }, bias, (branch, which) => drop(context, i, branch, which));
    }
    return { x, bias, batch, tokens };
  };

  return {
    grid,
    features: { [TOKENS]: { width, cells: 'known', cls: true }, [LATENT]: { width, cells: 'known', cls: true } },
    output: LATENT,
    params: () => sparing(specs(), (name) => name.endsWith('cls_token') || (intended && (isTable(name) || name.endsWith('mask_token')))),
    randomInputs,
    encode(images_BHWC, plan, params, context) {
      const { x, batch, tokens } = behindBlocks(depth, images_BHWC, plan, params, context);
      const sequence = (rows: Tensor2D): Tensor3D => tf.reshape(rows, [batch, tokens, width]);
      return { [TOKENS]: sequence(x), [LATENT]: sequence(layerNorm(x, params, NORM)) };
    },
    classAttention(images_BHWC, plan, params, context) {
      const { x, bias, batch, tokens } = behindBlocks(depth - 1, images_BHWC, plan, params, context);
      const rows = classAttention(blockQkv(x, params, `${PREFIX}blocks.${depth - 1}`), { batch, tokens, heads }, bias);
      return tf.slice(rows, [0, 0, 0], [batch, heads, plan.counts.visible]);
    },
    macs: ({ visible, retained }) => ({
      patch: patchEmbedMacs(embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible + retained, width, mlpWidth(width, mlpRatio) / width),
    }),
  };
}
