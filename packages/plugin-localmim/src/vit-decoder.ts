import { addMacs, cellsOf, part, type Branch, type BranchTarget, type Decoder, type Encoder, type ImageSpec, type MacParts, type Params, type ParamSpecs, type PlanTensors, type TokenSet } from '@mimlab/core';
import {
  checkHeads,
  gatherRows,
  layerNorm,
  linear,
  linearMacs,
  linearParams,
  localMimHeadMacs,
  mlpWidth,
  normParams,
  param,
  positionParam,
  positionsOf,
  repeatToken,
  restoreRows,
  tokenParam,
  torchUniform,
  vitBlockMacs,
  vitBlocks,
  vitBlocksParams,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { askedOf, featureOf, visibleFeature, type LocalBranch } from './branches.js';
import { headParams, pooledRows, predictRows } from './heads.js';

export interface LocalDecoderOptions {
  readonly encoder: Encoder;
  readonly image: ImageSpec;
  readonly branches: readonly LocalBranch[];
  /** What the run's target asks for, by branch. */
  readonly targets: Readonly<Record<string, BranchTarget>>;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** Cells that the heads of scale 1 and finer work on: those in the loss alone, or the whole grid as in the released code. */
  readonly headTokens: 'scored' | 'grid';
}

/** A branch with everything that is its own. */
interface Site extends LocalBranch {
  readonly prefix: string;
  readonly feature: string;
  readonly inputs: number;
  readonly values: number;
  readonly output: string;
}

/**
 * LocalMIM's decoders around a ViT: each reads another depth of the encoder, has embedding, mask token, positions, blocks
 * and norm of its own, and predicts at its own scale. The class token takes part in the blocks and is dropped behind them.
 * Source: official LocalMIM, models_mim.py, Decoder.
 * @throws CompositionError if encoder or target do not fit.
 */
export function localVitDecoder(options: LocalDecoderOptions): Decoder {
  const { encoder, image, branches, targets, width, depth, heads, mlpRatio, headTokens } = options;
  const { grid } = encoder;
  checkHeads(width, heads, 'decoderHeads');
  const sites = branches.map((branch, place): Site => {
    const feature = featureOf(place, branches.length);
    const { values, output = 'values' } = askedOf(targets, branches, branch, image, grid);
    return { ...branch, prefix: `decoder.${place}`, feature, inputs: visibleFeature(encoder, feature).width, values, output };
  });
  const siteOf = new Map(sites.map((site) => [site.name, site]));

  const paramsOf = ({ prefix, inputs, scale, values }: Site): ParamSpecs => ({
    [`${prefix}.mask_token`]: tokenParam(width),
    [`${prefix}.pos_embed`]: positionParam(width, grid, { cls: true }),
    ...linearParams(`${prefix}.embed`, inputs, width),
    ...vitBlocksParams(`${prefix}.blocks`, depth, width, mlpRatio),
    ...normParams(`${prefix}.norm`, width),
    ...headParams(`${prefix}.pred`, scale, width, values),
  });

  /** Tokens behind the blocks, [B, V + K, d]. */
  const decoded = (site: Site, latent: Tensor3D, plan: PlanTensors, params: Params): Tensor3D => {
    const sequence = decoderInput(site, latent, plan, params);
    const [batch, tokens] = sequence.shape;
    const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]), params, `${site.prefix}.blocks`, depth, { batch, tokens, heads });
    return tf.slice(tf.reshape(rows, [batch, tokens, width]) as Tensor3D, [0, 1, 0], [batch, tokens - 1, width]);
  };

  return {
    branches: sites.map((site) => branchOf(site, options)),
    params: () => Object.assign({}, ...sites.map(paramsOf)) as ParamSpecs,
    decode: (features, plan, params) =>
      Object.fromEntries(sites.map((site) => [site.name, { tokens_BSd: decoded(site, features[site.feature] as Tensor3D, plan, params), cells: 'known' }])),
    predict(name, set, plan, params) {
      const site = siteOf.get(name) as Site;
      const [batch, tokens] = set.tokens_BSd.shape;
      const rows = layerNorm(tf.reshape(set.tokens_BSd, [batch * tokens, width]), params, `${site.prefix}.norm`);
      const head = (x: Tensor2D): Tensor2D => predictRows(x, params, `${site.prefix}.pred`, site.scale);
      const values = (x: Tensor2D): Record<string, Tensor3D> => ({ [site.output]: tf.reshape(x, [batch, -1, x.shape[1]]) });
      if (site.scale < 1) return { values: values(head(pooledRows(rows, set.cells, plan))), cells: 'grid' };
      return { values: values(headTokens === 'grid' ? onGrid(rows, set, plan, head) : head(rows)), cells: set.cells };
    },
    decodeMacs({ visible, retained }) {
      const block = depth * vitBlockMacs(1 + visible + retained, width, mlpWidth(width, mlpRatio) / width);
      return addMacs(...sites.map(({ inputs }): MacParts => ({ decoderEmbed: linearMacs(1 + visible, inputs, width), decoder: block })));
    },
    predictMacs(name, tokens) {
      const { scale, values } = siteOf.get(name) as Site;
      return { head: localMimHeadMacs(scale, scale < 1 || headTokens === 'grid' ? cellsOf(grid) : tokens, width, values) };
    },
  };
}

function branchOf({ name, scale, prefix, values }: Site, { width, heads, headTokens }: LocalDecoderOptions): Branch {
  const table = (params: Params): Tensor3D => param<Tensor3D>(params, `${prefix}.pos_embed`);
  return {
    name,
    width,
    cells: 'known',
    cls: false,
    heads,
    tokenwise: scale >= 1 && headTokens === 'scored',
    convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
    normParams: Object.keys(normParams(`${prefix}.norm`, width)),
    headParams: Object.keys(headParams(`${prefix}.pred`, scale, width, values)),
    maskToken: (params) => tf.reshape(param(params, `${prefix}.mask_token`), [width]),
    positions_Nd(params) {
      const cells = table(params).shape[1] - 1;
      return tf.reshape(tf.slice(table(params), [0, 1, 0], [1, cells, width]), [cells, width]);
    },
  };
}

/** Embedded class token and visible tokens, then a mask token for each retained cell, all with the positions of their cells. */
function decoderInput({ prefix }: Site, latent: Tensor3D, plan: PlanTensors, params: Params): Tensor3D {
  const [batch, tokens, width] = latent.shape;
  const rows = part('decoderEmbed', () => linear(tf.reshape(latent, [batch * tokens, width]), params, `${prefix}.embed`));
  const table = `${prefix}.pos_embed`;
  const seen = tf.add(tf.reshape(rows, [batch, tokens, rows.shape[1]]), positionsOf(params, table, plan.visible_BV, true)) as Tensor3D;
  if (plan.counts.retained === 0) return seen;
  // The class token's row stands first in the table.
  const positions = positionsOf(params, table, tf.add(plan.retained_BK, tf.scalar(1, 'int32')), false);
  return tf.concat([seen, tf.add(positions, repeatToken(param(params, `${prefix}.mask_token`), 1, 1))], 1) as Tensor3D;
}

/** Runs a head on every cell, zeros standing in for thrown tokens, and takes the set's own cells from the result. */
function onGrid(rows: Tensor2D, { cells }: TokenSet, plan: PlanTensors, head: (rows: Tensor2D) => Tensor2D): Tensor2D {
  if (cells === 'grid') return head(rows);
  return gatherRows(head(restoreRows(rows, plan.gridRows, plan.knownRows)), plan.knownRows, plan.gridRows);
}
