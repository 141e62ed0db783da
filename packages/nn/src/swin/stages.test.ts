import * as tf from '@tensorflow/tfjs';
import { ConfigError, sizeOfShape } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { denseSwin, denseSwinMacs, swinStages, swinStagesParams, type SwinOptions } from './stages.js';

const small: SwinOptions = { grid: { rows: 4, columns: 8 }, width: 4, depths: [2, 1], heads: [1, 2], window: 2, mlpRatio: 2 };
const base: SwinOptions = { grid: { rows: 48, columns: 48 }, width: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 6, mlpRatio: 4 };
const large: SwinOptions = { ...base, width: 192, heads: [6, 12, 24, 48], window: 12 };

describe('the stages of a Swin', () => {
  it('halve the grid and double the width', () => {
    const stages = swinStages(base);
    expect(stages.map(({ grid, width, firstBlock, merges }) => [grid.rows, width, firstBlock, merges])).toEqual([
      [48, 128, 0, true],
      [24, 256, 2, true],
      [12, 512, 4, true],
      [6, 1024, 22, false],
    ]);
  });

  it('have tables for the windows that they use', () => {
    const shapes = Object.entries(swinStagesParams('', swinStages(large))).filter(([name]) => name.endsWith('blocks.0.attn.relative_position_bias_table'));
    expect(shapes.map(([, { shape }]) => shape)).toEqual([[529, 6], [529, 12], [529, 24], [121, 48]]);
  });

  it('have as many numbers as the official Swin-B without embedding and norm', () => {
    const total = Object.values(swinStagesParams('', swinStages(base))).reduce((sum, { shape }) => sum + sizeOfShape(shape), 0);
    // 86,725,304 less patch embedding with its norm, mask token and final norm.
    expect(total).toBe(86_725_304 - (128 * 48 + 128 + 256) - 128 - 2048);
  });

  it('cost what the published models cost', () => {
    // Encoders with patch embedding: 11.277 and 25.956 G.
    expect((denseSwinMacs(swinStages(base)) + 2304 * 48 * 128) / 1e9).toBeCloseTo(11.277, 3);
    expect((denseSwinMacs(swinStages(large)) + 2304 * 48 * 192) / 1e9).toBeCloseTo(25.956, 3);
  });

  it('may have windows that the edges of a grid cut off, where asked', () => {
    expect(swinStages({ ...small, grid: { rows: 6, columns: 8 }, window: 4, cutWindows: true }).map(({ grid }) => grid)[0]).toEqual({ rows: 6, columns: 8 });
  });

  it.each([
    ['windows', { ...small, grid: { rows: 6, columns: 8 }, window: 4 }, /stage 0 works on a grid of 6 x 8, which cannot be cut into windows of 4/],
    ['halves', { ...small, grid: { rows: 3, columns: 3 }, window: 3 }, /stage 0 works on a grid of 3 x 3, which cannot be halved/],
    ['heads', { ...small, heads: [1, 3] }, /cannot be split into 3 heads/],
    ['numbers of heads', { ...small, heads: [1] }, /2 stages have 1 numbers of heads/],
  ] as const)('are refused where %s do not come out even', (_, options, message) => {
    expect(() => swinStages(options)).toThrow(ConfigError);
    expect(() => swinStages(options)).toThrow(message);
  });
});

onEveryBackend('a dense Swin', () => {
  const stages = swinStages(small);
  const run = { batch: 2, prefix: 'encoder.' };

  it('gives what leaves the blocks of every stage', () => {
    const outs = denseSwin(scattered([64, 4]) as tf.Tensor2D, paramsOf(swinStagesParams('encoder.', stages)), stages, run);
    expect(outs.map(({ shape }) => shape)).toEqual([[64, 4], [16, 8]]);
  });

  it('works image by image', () => {
    const params = paramsOf(swinStagesParams('encoder.', stages));
    const x = scattered([64, 4]) as tf.Tensor2D;
    const both = denseSwin(x, params, stages, run)[1] as tf.Tensor2D;
    const second = denseSwin(tf.slice(x, [32, 0], [32, 4]), params, stages, { ...run, batch: 1 })[1] as tf.Tensor2D;
    expectValues(tf.slice(both, [8, 0], [8, 8]), second.dataSync(), 4);
  });

  it('hands every residual branch out, blocks counted through', () => {
    const met: string[] = [];
    const residual = (block: number) => (branch: tf.Tensor2D, which: string): tf.Tensor2D => {
      met.push(`${block} ${which}`);
      return tf.zerosLike(branch);
    };
    const x = scattered([64, 4]) as tf.Tensor2D;
    const outs = denseSwin(x, paramsOf(swinStagesParams('encoder.', stages)), stages, { ...run, residual });
    expect(met).toEqual(['0 attention', '0 mlp', '1 attention', '1 mlp', '2 attention', '2 mlp']);
    expectValues(outs[0] as tf.Tensor2D, x.dataSync());
  });

  it('sends gradients through shifted windows and mergings', () => {
    const params = paramsOf(swinStagesParams('', stages));
    const name = 'layers.0.blocks.1.attn.relative_position_bias_table';
    expectGradients((table) => denseSwin(scattered([32, 4]) as tf.Tensor2D, { ...params, [name]: table! }, stages, { batch: 1, prefix: '' })[1] as tf.Tensor2D, [params[name]!], 2e-2);
  });
});
