import { addMacs, cellsOf, part, type Decoder, type Grid, type MacParts, type ParamSpecs, type Params, type PlanTensors } from '@mimlab/core';
import {
  checkHeads,
  layerNorm,
  linear,
  linearMacs,
  linearParams,
  lookupRows,
  mlpWidth,
  normParams,
  param,
  positionParam,
  restoreRows,
  tokenParam,
  torchUniform,
  vitBlockMacs,
  vitBlocks,
  vitBlocksParams,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { askedOf, featureOf, visibleFeature, type LocalBranch } from './branches.js';
import type { LocalDecoderOptions } from './vit-decoder.js';

interface Site extends LocalBranch {
  readonly prefix: string;
  readonly feature: string;
  /** Tokens of a unit. */
  readonly square: number;
  /** Width of the encoder's tokens, and of the decoder's. */
  readonly inputs: number;
  readonly width: number;
  readonly values: number;
  readonly output: string;
}

/**
 * LocalMIM's decoders behind the stages of a Swin: each works at the resolution of its stage, without class token, and
 * predicts one cell a token. The first has half the width. Tokens of a mask unit travel side by side as one token of the
 * plan's grid, always for the whole grid, so nothing can be thrown.
 * Source: official LocalMIM, Swin version, Decoder.
 * @throws CompositionError if encoder or target do not fit.
 */
export function localSwinDecoder(options: Omit<LocalDecoderOptions, 'headTokens'>): Decoder {
  const { encoder, image, branches, targets, depth, heads, mlpRatio } = options;
  const { grid } = encoder;
  const sites = branches.map((branch, place): Site => {
    const width = place === 0 ? options.width / 2 : options.width;
    checkHeads(width, heads, 'decoderHeads');
    const feature = featureOf(place, branches.length);
    const square = branch.scale ** 2;
    const { values, output = 'values' } = askedOf(targets, branches, branch, image, grid);
    return { ...branch, prefix: `decoder.${place}`, feature, square, inputs: visibleFeature(encoder, feature).width / square, width, values, output };
  });
  const siteOf = new Map(sites.map((site) => [site.name, site]));

  const paramsOf = ({ prefix, scale, inputs, width, values }: Site): ParamSpecs => ({
    [`${prefix}.mask_token`]: tokenParam(width),
    [`${prefix}.pos_embed`]: positionParam(width, { rows: grid.rows * scale, columns: grid.columns * scale }, { cls: false }),
    ...linearParams(`${prefix}.embed`, inputs, width),
    ...vitBlocksParams(`${prefix}.blocks`, depth, width, mlpRatio),
    ...normParams(`${prefix}.norm`, width),
    ...linearParams(`${prefix}.pred`, width, values),
  });

  return {
    branches: sites.map(({ name, square, width, prefix }) => ({
      name,
      width: square * width,
      cells: 'grid',
      cls: false,
      heads,
      tokenwise: true,
      convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
      normParams: Object.keys(normParams(`${prefix}.norm`, width)),
      headParams: [`${prefix}.pred.weight`, `${prefix}.pred.bias`],
    })),
    params: () => Object.assign({}, ...sites.map(paramsOf)) as ParamSpecs,
    decode: (features, plan, params) =>
      Object.fromEntries(sites.map((site) => [site.name, { tokens_BSd: decoded(site, features[site.feature] as Tensor3D, plan, params, options), cells: 'grid' }])),
    predict(name, set, plan, params) {
      const { prefix, width, output } = siteOf.get(name) as Site;
      const rows = layerNorm(tf.reshape(set.tokens_BSd, [-1, width]) as Tensor2D, params, `${prefix}.norm`);
      return { values: { [output]: tf.reshape(linear(rows, params, `${prefix}.pred`), [plan.batch, set.tokens_BSd.shape[1], -1]) }, cells: set.cells };
    },
    decodeMacs: ({ visible, retained }) =>
      addMacs(
        ...sites.map(({ square, inputs, width }): MacParts => ({
          decoderEmbed: linearMacs(visible * square, inputs, width),
          decoder: depth * vitBlockMacs((visible + retained) * square, width, mlpWidth(width, mlpRatio) / width),
        })),
      ),
    predictMacs(name, tokens) {
      const { square, width, values } = siteOf.get(name) as Site;
      return { head: linearMacs(tokens * square, width, values) };
    },
  };
}

/** Positions of the tokens of each unit side by side, [units, square * width]. */
function unitPositions({ prefix, scale, width }: Site, params: Params, { rows, columns }: Grid): Tensor2D {
  const table = tf.reshape(param(params, `${prefix}.pos_embed`), [rows, scale, columns, scale * width]);
  return tf.reshape(tf.transpose(table, [0, 2, 1, 3]), [rows * columns, scale * scale * width]);
}

/** Tokens behind the blocks, [B, units, square * width], raster order. */
function decoded(site: Site, latent: Tensor3D, plan: PlanTensors, params: Params, { depth, heads }: Pick<LocalDecoderOptions, 'depth' | 'heads'>): Tensor3D {
  const { prefix, square, inputs, width } = site;
  const { batch, grid, counts } = plan;
  const { visible, retained } = counts;
  const table = unitPositions(site, params, grid);
  const placed = (tokens: Tensor, cells: Tensor2D): Tensor3D => {
    const positions = tf.reshape(lookupRows(table, tf.reshape(cells, [-1])), [batch, cells.shape[1] * square, width]);
    return tf.add(tokens, positions);
  };
  const embedded = part('decoderEmbed', () => linear(tf.reshape(latent, [batch * visible * square, inputs]), params, `${prefix}.embed`));
  const seen = placed(tf.reshape(embedded, [batch, visible * square, width]), plan.visible_BV);
  const sequence = retained === 0 ? seen : tf.concat([seen, placed(param(params, `${prefix}.mask_token`), plan.retained_BK)], 1);
  const tokens = (visible + retained) * square;
  const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]) as Tensor2D, params, `${prefix}.blocks`, depth, { batch, tokens, heads });
  const units = tf.reshape(rows, [batch * (visible + retained), square * width]) as Tensor2D;
  return tf.reshape(restoreRows(units, plan.gridRows, plan.knownRows), [batch, cellsOf(grid), square * width]);
}
