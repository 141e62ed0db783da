import type { NamedTensors, Params } from '@mimlab/core';
import { DataError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { attention, type SequenceShape } from '../layers/attention.js';
import { savedAt, withGradient } from '../layers/custom-gradient.js';
import { linear } from '../layers/linear.js';
import { pairsByHead, relativePairs } from '../positions/relative-bias.js';
import { groupAttention, relativeTable } from '../swin/window-attention.js';
import { tableNames } from './tables.js';
import type { SparseSite } from './sites.js';

/** Keeps tokens of different windows apart. Enough in float32, and harmless in half precision. */
const APART = -100;

/** The tables of one site, as tensors of a step. */
export interface SiteTables {
  /** Groups G and slots S of each. */
  readonly groups: number;
  readonly size: number;
  /** [G S] and [n]; absent where all tokens are one sequence. */
  readonly slots?: Tensor1D;
  readonly places?: Tensor1D;
  readonly positions: Tensor1D;
  readonly pairs: Tensor1D;
}

/**
 * Finds the tables of a site in a plan.
 * @throws DataError if the plan has none.
 */
export function siteTensors(site: SparseSite, aux: NamedTensors): SiteTables {
  const names = tableNames(site);
  const positions = auxOf(aux, names.positions);
  const pairs = auxOf(aux, names.pairs);
  // There is a position for each slot, and a pair for each two slots of a group.
  const size = pairs.shape[0] / positions.shape[0];
  const groups = positions.shape[0] / size;
  return site.grouped ? { groups, size, positions, pairs, slots: auxOf(aux, names.slots), places: auxOf(aux, names.places) } : { groups, size, positions, pairs };
}

/** An array of the plan's `aux`. @throws DataError if the plan has none of this name. */
export function auxOf(aux: NamedTensors, name: string): Tensor1D {
  const tensor = aux[name];
  if (tensor === undefined) {
    throw new DataError('the plan lacks this array, which an encoder of visible patches in windows reads', {
      place: `plan.aux.${name}`,
      remedy: 'Take the sampler from the plugin that the encoder comes from.',
    });
  }
  return tensor as Tensor1D;
}

/**
 * Rows of every image by one list of places, [B * from, C] to [B * list, C]. `places` is inverse to `list` in both
 * directions; a place one past the end stands for a row of zeros.
 * @param list int32 [list]  @param inverse int32 [from]
 */
export function takeOfEach(x_MC: Tensor2D, batch: number, list: Tensor1D, inverse: Tensor1D): Tensor2D {
  const width = x_MC.shape[1];
  const take = (x: Tensor2D, from: number, by: Tensor1D): Tensor2D => {
    const images = tf.reshape(x, [batch, from, width]) as Tensor3D;
    const padded = tf.concat([images, tf.zeros([batch, 1, width])], 1);
    return tf.reshape(tf.gather(padded, by, 1), [batch * by.shape[0], width]);
  };
  return withGradient(
    [x_MC],
    (save) => {
      save([inverse]);
      return take(x_MC, inverse.shape[0], list);
    },
    (dy, saved) => [take(dy, list.shape[0], savedAt<Tensor1D>(saved, 0))],
  );
}

/**
 * Bias of every pair of slots, [G S S, h]: that of the tokens' relative position inside a window, -100 where the tokens
 * lie in different windows or a slot is empty. The gradient carries pairs of slots to pairs of positions by products
 * with one-hot matrices, P^T D P for each group, summed over the groups.
 * @param positionPairs [w^4, h], w^2 positions in a window
 */
export function slotPairs(positionPairs: Tensor2D, { groups, size, positions, pairs }: SiteTables): Tensor2D {
  const [count, heads] = positionPairs.shape;
  const area = Math.round(Math.sqrt(count));
  return withGradient(
    [positionPairs],
    (save) => {
      save([positions, pairs]);
      return tf.gather(tf.concat([positionPairs, tf.fill([1, heads], APART)], 0), pairs) as Tensor2D;
    },
    (dy, saved) => {
      const seen = tf.cast(tf.less(savedAt(saved, 1), tf.scalar(count, 'int32')), 'float32');
      const kept = tf.reshape(tf.mul(dy, tf.reshape(seen, [-1, 1])), [groups, size, size * heads]) as Tensor3D;
      const places = tf.cast(tf.oneHot(savedAt<Tensor1D>(saved, 0), area), 'float32') as Tensor2D;
      const byQuery = tf.matMul(tf.reshape(places, [groups, size, area]) as Tensor3D, kept, true, false);
      const keysFirst = tf.transpose(tf.reshape(byQuery, [groups, area, size, heads]), [0, 2, 1, 3]);
      const byKey = tf.matMul(places, tf.reshape(keysFirst, [groups * size, area * heads]), true, false);
      return [tf.reshape(tf.transpose(tf.reshape(byKey, [area, area, heads]), [1, 0, 2]), [count, heads])];
    },
  );
}

/** What attention at a site adds to its scores for the table of this layer, [G, h, S, S]. */
export function siteBias(params: Params, prefix: string, window: number, tables: SiteTables): Tensor4D {
  const positionPairs = relativePairs(relativeTable(params, prefix), { rows: window, columns: window }, false);
  return pairsByHead(slotPairs(positionPairs, tables), tables.groups, tables.size);
}

export interface SparseAttentionSize {
  readonly batch: number;
  readonly heads: number;
  readonly window: number;
}

const sequences = ({ batch, heads }: SparseAttentionSize, { groups, size }: SiteTables): SequenceShape => ({ batch: batch * groups, tokens: size, heads });

/**
 * Attention of visible tokens inside their windows. Queries, keys and values are made of the tokens themselves; only
 * the attention runs on groups and meets the slots that pad them.
 * @param x_MC [B * n, C]; the same tokens come back
 */
export function sparseAttention(x_MC: Tensor2D, params: Params, prefix: string, tables: SiteTables, size: SparseAttentionSize): Tensor2D {
  const { slots, places } = tables;
  const bias = siteBias(params, prefix, size.window, tables);
  const shape = sequences(size, tables);
  if (slots === undefined || places === undefined) return groupAttention(x_MC, params, prefix, shape, bias);
  const qkv = takeOfEach(linear(x_MC, params, `${prefix}.qkv`), size.batch, slots, places);
  const attended = takeOfEach(attention(qkv, shape, bias), size.batch, places, slots);
  return linear(attended, params, `${prefix}.proj`);
}

/** The same where the tokens stand in groups already, [B * G * S, C]. */
export const attentionInGroups = (x_MC: Tensor2D, params: Params, prefix: string, tables: SiteTables, size: SparseAttentionSize): Tensor2D =>
  groupAttention(x_MC, params, prefix, sequences(size, tables), siteBias(params, prefix, size.window, tables));
