import { cellsOf, type Encoder, type FeatureSpec, type Initializer, type Params, type ParamSpecs, type PlanTensors, type StepContext } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchEmbedMacs, vitBlockMacs } from '../cost/vit.js';
import { patchGrid, patchValues } from '../images/patchify.js';
import { checkHeads } from '../layers/attention.js';
import { stochasticDepth } from '../layers/drop-path.js';
import { layerNorm } from '../layers/layer-norm.js';
import { vitBlocks, type StackRules } from '../layers/vit-block.js';
import { zeros } from '../params/initializers.js';
import { param } from '../params/lookup.js';
import { scaledBlockParams, type LayerScale } from '../params/scaled-block.js';
import { trunkParams } from '../params/trunk-params.js';
import { mlpWidth, normParams, patchEmbedParams, plainParam } from '../params/specs.js';
import { knownPairs, pairsByHead, relativePairs } from '../positions/relative-bias.js';
import { relativeTableRows } from '../positions/relative-index.js';
import { LATENT, vitClassAttention, type VitEncoderOptions } from './encoder.js';
import { positionsOf, refuseRepeats, repeatToken } from './tokens.js';
import { visiblePatches } from './visible-patches.js';

/** Name of the feature that lies behind the last block; `latent` is the same behind the final norm. */
export const TOKENS = 'tokens';

export interface MaskTokenVitOptions extends Omit<VitEncoderOptions, 'positions'> {
  /** Names of parameters and random inputs start with it. */
  readonly prefix: string;
  /** `relative`: one table of relative positions for all blocks. `learned`: a learned position for every cell and the class token. */
  readonly positions: 'relative' | 'learned';
  readonly layerScale: LayerScale | null;
  /** Stochastic depth of the last block. */
  readonly dropPath: number;
  /** Initial values of weights, tokens and positions; `last` of those that end a residual branch of block `number` (from 1). */
  readonly init: { readonly weight: Initializer; readonly last: (number: number) => Initializer };
}

/**
 * A ViT that works on hidden tokens itself, as SimMIM's and BEiT's: class token, visible patches and a mask token for every
 * retained cell, in known order, through all blocks. The bias of relative positions is gathered for the tokens that each image
 * has. Features `tokens` and `latent` of all known tokens.
 * @throws ConfigError if patch or heads do not fit.
 */
export function maskTokenVit(options: MaskTokenVitOptions): Encoder {
  const { prefix, image, patch, width, depth, heads, mlpRatio, embedPatches, positions, layerScale, init } = options;
  const grid = patchGrid(image, patch);
  checkHeads(width, heads);
  const [blocks, norm, embed] = [`${prefix}blocks`, `${prefix}norm`, `${prefix}patch_embed.proj`];
  const [places, table] = [`${prefix}pos_embed`, `${prefix}rel_pos_bias.relative_position_bias_table`];
  const dropping = stochasticDepth(`${prefix}dropPath`, options.dropPath, depth);
  const token = plainParam([1, 1, width], init.weight);
  const feature: FeatureSpec = { width, cells: 'known', cls: true };

  /** What the first block gets, [B, 1 + V + K, D]. */
  const embedKnown = (images_BHWC: Tensor4D, plan: PlanTensors, params: Params): Tensor3D => {
    refuseRepeats(plan);
    const { batch, counts } = plan;
    const repeated = (name: string, tokens: number): Tensor3D => repeatToken(param(params, prefix + name), batch, tokens);
    const hidden = counts.retained === 0 ? [] : [repeated('mask_token', counts.retained)];
    const sequence = tf.concat([repeated('cls_token', 1), visiblePatches(images_BHWC, plan, params, embed, { patch, embedPatches }), ...hidden], 1) as Tensor3D;
    if (positions === 'relative') return sequence;
    const cells = counts.retained === 0 ? plan.visible_BV : (tf.concat([plan.visible_BV, plan.retained_BK], 1) as Tensor2D);
    return tf.add(sequence, positionsOf(params, places, cells, true));
  };

  const rulesFor = (plan: PlanTensors, params: Params, context: StepContext): StackRules => {
    const tokens = 1 + plan.counts.visible + plan.counts.retained;
    const bias = positions === 'learned' ? {} : { bias_Ghnn: pairsByHead(knownPairs(relativePairs(param<Tensor2D>(params, table), grid, true), plan), plan.batch, tokens) };
    return (block) => ({ ...bias, scaled: layerScale?.on ?? [], residual: dropping.rule(context, block) });
  };

  return {
    grid,
    features: { [TOKENS]: feature, [LATENT]: feature },
    output: LATENT,
    trunk: {
      architecture: { kind: 'beit', patch, width, depth, heads, mlpRatio, positions, layerScale },
      // Fine-tuning has a table for every block, which starts as the one that all share here.
      params(params) {
        const own = trunkParams(params, prefix);
        const shared = params[table];
        return shared === undefined ? own : { ...own, ...Object.fromEntries(Array.from({ length: depth }, (_, i) => [`blocks.${i}.attn.relative_position_bias_table`, shared])) };
      },
    },
    params: (): ParamSpecs => ({
      [`${prefix}cls_token`]: token,
      ...(positions === 'learned' ? { [places]: plainParam([1, 1 + cellsOf(grid), width], init.weight) } : {}),
      [`${prefix}mask_token`]: token,
      ...patchEmbedParams(embed, patch, image.channels, width, { weight: init.weight, bias: zeros }),
      ...(positions === 'relative' ? { [table]: plainParam([relativeTableRows(grid, true), heads], zeros) } : {}),
      ...(Object.assign(
        {},
        ...Array.from({ length: depth }, (_, i) => scaledBlockParams(`${blocks}.${i}`, { width, mlpRatio, layerScale, weight: init.weight, lastWeight: init.last(i + 1) })),
      ) as ParamSpecs),
      ...normParams(norm, width),
    }),
    randomInputs: (batch) => dropping.randomInputs(batch),
    encode(images_BHWC, plan, params, context) {
      const known = embedKnown(images_BHWC, plan, params);
      const [batch, tokens] = known.shape;
      const rows = vitBlocks(tf.reshape(known, [batch * tokens, width]), params, blocks, depth, { batch, tokens, heads }, rulesFor(plan, params, context));
      const sequence = (of: Tensor2D): Tensor3D => tf.reshape(of, [batch, tokens, width]);
      return { [TOKENS]: sequence(rows), [LATENT]: sequence(layerNorm(rows, params, norm)) };
    },
    classAttention(images_BHWC, plan, params, context) {
      const attention = vitClassAttention(embedKnown(images_BHWC, plan, params), params, { depth, heads }, blocks, rulesFor(plan, params, context));
      return tf.slice(attention, [0, 0, 0], [plan.batch, heads, plan.counts.visible]);
    },
    macs: ({ visible, retained }) => ({
      patch: patchEmbedMacs(embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible + retained, width, mlpWidth(width, mlpRatio) / width),
    }),
  };
}
