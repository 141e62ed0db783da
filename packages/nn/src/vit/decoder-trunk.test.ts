import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { sincosPositions } from '../positions/sincos.js';
import { decoderInput, decoderTrunk, type DecoderTrunkOptions } from './decoder-trunk.js';

const grid = { rows: 2, columns: 2 };
const names = { maskToken: 'own.mask', positions: 'own.pos', embed: 'own.embed', blocks: 'own.blocks', norm: 'own.norm' };
const options: DecoderTrunkOptions = { names, grid, inputs: 3, width: 8, depth: 1, heads: 2, mlpRatio: 2, cls: true };
const fine: DecoderTrunkOptions = { ...options, cls: false, side: 2 };
const plan = () => tensorsOf([planOf(grid, [2, 1, 0, 3], 1, 2)]);

onEveryBackend('the trunk of a decoder', () => {
  it('has its parameters under the names it is given', () => {
    const prefixes = Object.keys(decoderTrunk(options).params()).map((name) => name.split('.').slice(0, 2).join('.'));
    expect([...new Set(prefixes)]).toEqual(['own.mask', 'own.pos', 'own.embed', 'own.blocks', 'own.norm']);
  });

  it('gives known tokens, and the class token apart', () => {
    const trunk = decoderTrunk(options);
    const { tokens_BSd, cls_B1d } = trunk.decode(scattered([1, 2, 3]) as tf.Tensor3D, plan(), paramsOf(trunk.params()));
    expect([tokens_BSd.shape, cls_B1d?.shape]).toEqual([[1, 3, 8], [1, 1, 8]]);
  });

  it('keeps tokens of a cell side by side', () => {
    const trunk = decoderTrunk(fine);
    const { tokens_BSd, cls_B1d } = trunk.decode(scattered([1, 1, 12]) as tf.Tensor3D, plan(), paramsOf(trunk.params()));
    expect([tokens_BSd.shape, cls_B1d]).toEqual([[1, 3, 4 * 8], undefined]);
  });

  it('gives each of them the position of its own place, in raster order inside the cell', () => {
    const specs = decoderTrunk(fine).params();
    const zeroed = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, tf.zeros([...shape])]));
    const table = sincosPositions(8, { rows: 4, columns: 4 }, { cls: false });
    const params = { ...zeroed, 'own.pos': tf.tensor(table, [1, 16, 8]) };
    const input = decoderInput(tf.zeros([1, 1, 12]), plan(), params, false, names, 2);
    // Cells 2, 1, 0 of 2 x 2: their tokens on 4 x 4.
    const places = [8, 9, 12, 13, 2, 3, 6, 7, 0, 1, 4, 5];
    expectValues(tf.reshape(input, [12, 8]), Float32Array.from(places.flatMap((place) => [...table.subarray(8 * place, 8 * place + 8)])), 5);
  });

  it('costs its embedding and its blocks, class token and tokens of a cell included', () => {
    const counts = { visible: 1, retained: 2, thrown: 1 };
    // A token of width 8 with an MLP of 16: 4 square maps and 2 of 8 x 16, then two products over the sequence.
    const block = (tokens: number): number => tokens * (4 * 64 + 2 * 128) + 2 * tokens * tokens * 8;
    expect(decoderTrunk(options).decodeMacs(counts)).toEqual({ decoderEmbed: 2 * 3 * 8, decoder: block(4) });
    expect(decoderTrunk(fine).decodeMacs(counts)).toEqual({ decoderEmbed: 4 * 3 * 8, decoder: block(12) });
  });

  it('tells wrappers its mask token and positions where a cell is one token', () => {
    const trunk = decoderTrunk(options);
    const params = paramsOf(trunk.params());
    const branch = trunk.branch('one', ['head.weight']);
    expect([branch.width, branch.cls, branch.headParams, branch.normParams]).toEqual([8, true, ['head.weight'], ['own.norm.weight', 'own.norm.bias']]);
    expect([branch.maskToken?.(params).shape, branch.positions_Nd?.(params).shape]).toEqual([[8], [4, 8]]);
    const square = decoderTrunk(fine).branch('square', []);
    expect([square.width, square.maskToken, square.positions_Nd]).toEqual([32, undefined, undefined]);
  });

  it('refuses heads that do not divide its width', () => {
    expect(() => decoderTrunk({ ...options, heads: 3 })).toThrow(/decoderHeads/);
  });
});
