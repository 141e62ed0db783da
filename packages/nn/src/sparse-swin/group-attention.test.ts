import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeIndex } from '../positions/relative-index.js';
import { siteBias, siteTensors, slotPairs, takeOfEach } from './group-attention.js';
import { sparseSites } from './sites.js';
import { sparseSwinStages } from './stages.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const ints = (...values: number[]): tf.Tensor1D => tf.tensor1d(values, 'int32');
// Three tokens in two groups of two slots; the last slot is empty.
const slots = (): tf.Tensor1D => ints(2, 0, 1, 3);
const places = (): tf.Tensor1D => ints(1, 2, 0);

describe('rows taken of each image', () => {
  it('stand where the list says, zeros where it points past the end', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1], [2], [3], [4], [5], [6]]);
      expect([...takeOfEach(x, 2, slots(), places()).dataSync()]).toEqual([3, 1, 2, 0, 6, 4, 5, 0]);
    });
  });

  it('come back by the inverse list', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 7], [2, 8], [3, 9]]);
      const there = takeOfEach(x, 1, slots(), places());
      expect(takeOfEach(there, 1, places(), slots()).arraySync()).toEqual(x.arraySync());
    });
  });

  it('pass gradients to the rows they were taken from', () => {
    tf.tidy(() => {
      const weights = tf.tensor2d([[10], [20], [30], [40]]);
      const into = tf.grad((x) => tf.sum(tf.mul(takeOfEach(x as tf.Tensor2D, 1, slots(), places()), weights)))(tf.tensor2d([[0], [0], [0]]));
      expect([...into.dataSync()]).toEqual([20, 30, 10]);
      const outOf = tf.grad((x) => tf.sum(tf.mul(takeOfEach(x as tf.Tensor2D, 1, places(), slots()), tf.tensor2d([[1], [2], [3]]))))(tf.zeros([4, 1]));
      expect([...outOf.dataSync()]).toEqual([3, 1, 2, 0]);
    });
  });
});

describe('the bias of pairs of slots', () => {
  // Windows of one row of two: positions 0 and 1, four pairs. Group 0 holds one window, group 1 a token and an empty slot.
  const tables = () => ({ groups: 2, size: 2, positions: ints(1, 0, 1, 4), pairs: ints(5, 4, 1, 0, 5, 16, 16, 16) });
  const pairs = (): tf.Tensor2D => tf.tensor2d(Array.from({ length: 16 }, (_, pair) => [pair, 100 + pair]));

  it('is that of their positions, and far below every score where one may not see the other', () => {
    tf.tidy(() => {
      expect(slotPairs(pairs(), tables()).arraySync()).toEqual([[5, 105], [4, 104], [1, 101], [0, 100], [5, 105], [-100, -100], [-100, -100], [-100, -100]]);
    });
  });

  it('sums its gradient over all slots of the same positions, and leaves the others out', () => {
    tf.tidy(() => {
      const weights = tf.tensor2d(Array.from({ length: 8 }, (_, i) => [i + 1, 10 * (i + 1)]));
      const gradient = tf.grad((x) => tf.sum(tf.mul(slotPairs(x as tf.Tensor2D, tables()), weights)))(pairs()).arraySync() as number[][];
      const expected = Array.from({ length: 16 }, () => [0, 0]);
      [5, 4, 1, 0, 5].forEach((pair, i) => {
        expected[pair] = [expected[pair]![0]! + i + 1, expected[pair]![1]! + 10 * (i + 1)];
      });
      expect(gradient).toEqual(expected);
    });
  });

  it('comes from the table of relative positions, head by head', () => {
    tf.tidy(() => {
      const table = tf.tensor2d(Array.from({ length: 9 }, (_, offset) => [offset, -offset]));
      const all = { groups: 1, size: 4, positions: ints(0, 1, 2, 3), pairs: tf.range(0, 16, 1, 'int32') };
      const bias = siteBias({ 'attn.relative_position_bias_table': table }, 'attn', 2, all);
      const index = [...relativeIndex({ rows: 2, columns: 2 }, false)];
      expect([...bias.dataSync()]).toEqual([...index, ...index.map((offset) => (offset === 0 ? -0 : -offset))]);
    });
  });
});

describe('the tables of a site', () => {
  const [site] = sparseSites(sparseSwinStages({ image: { height: 8, width: 8, channels: 1 }, patch: { height: 1, width: 1 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2 }), 3);

  it('tell the number of groups by their length', () => {
    tf.tidy(() => {
      const aux = { 'stage0.plain.slots': tf.zeros([12], 'int32'), 'stage0.plain.places': tf.zeros([12], 'int32'), 'stage0.plain.positions': tf.zeros([12], 'int32'), 'stage0.plain.pairs': tf.zeros([48], 'int32') };
      expect(siteTensors(site!, aux)).toMatchObject({ groups: 3, size: 4 });
    });
  });

  it('are missed by name', () => {
    expect(() => siteTensors(site!, {})).toThrow(/plan\.aux\.stage0\.plain\.positions: the plan lacks this array/);
  });
});
