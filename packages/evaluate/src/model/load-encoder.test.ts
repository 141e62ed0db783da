import { join } from 'node:path';
import { CheckpointError, saveWeights, type Encoder, type HostTensor, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import { interpolatePositions, resizeRelativeTable } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, tinyEncoder } from '../../testing/tiny-evaluation.js';
import { loadEncoder, type LoadEncoderOptions } from './load-encoder.js';
import { resizeParameters } from './resize-parameters.js';

const root = temporaryFolder();
const small = tinyEncoder();
const large = tinyEncoder({ height: 12, width: 16, channels: 1 });
const sized = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const valuesOf = (specs: ParamSpecs): Record<string, HostTensor> =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }], i) => [name, { shape, dtype: 'float32', data: Float32Array.from({ length: sized(shape) }, (_, k) => Math.sin(i + k)) }]));

async function load(weights: string | undefined, more: Partial<LoadEncoderOptions> = {}): Promise<{ values: NamedHostTensors; notices: string[] }> {
  const notices: string[] = [];
  const values = await loadEncoder({ weights, source: small, target: small, pretraining: small.params(), seed: 3, notice: (message) => notices.push(message), ...more });
  return { values, notices };
}

describe('an encoder from a file', () => {
  const path = join(root, 'encoder.safetensors');

  it('comes back as it was written', async () => {
    const values = valuesOf(small.params());
    await saveWeights(path, values, small.params());
    expect((await load(path)).values).toEqual(values);
  });

  it('may stand beside what pre-training alone needs, and a head, which is told', async () => {
    const vector = (name: string): ParamSpecs => ({ [name]: { shape: [2], trainable: true, init: () => new Float32Array(2), layout: { kind: 'same' } } });
    const specs = { ...small.params(), ...vector('mask_token'), ...vector('head.bias') };
    const file = join(root, 'beside.safetensors');
    await saveWeights(file, valuesOf(specs), specs);
    const { notices } = await load(file, { pretraining: { ...small.params(), ...vector('mask_token') } });
    expect(notices).toEqual([`${file}: not used: head.bias`]);
    await expect(load(file)).rejects.toThrow(/'mask_token' is not known to the model/);
  });

  it('must be whole', async () => {
    const { cls_token, ...rest } = small.params();
    expect(cls_token).toBeDefined();
    const file = join(root, 'lacking.safetensors');
    await saveWeights(file, valuesOf(rest), rest);
    await expect(load(file)).rejects.toThrow(CheckpointError);
    await expect(load(file)).rejects.toThrow(/'cls_token' is missing/);
  });

  it('lists a dozen of what does not fit, and counts the rest', async () => {
    const file = join(root, 'empty.safetensors');
    const { norm, ...none } = { norm: small.params()['norm.weight'] as ParamSpecs[string] };
    expect(none).toEqual({});
    await saveWeights(file, valuesOf({ 'norm.weight': norm }), { 'norm.weight': norm });
    const missing = Object.keys(small.params()).length - 1;
    await expect(load(file)).rejects.toThrow(`... and ${missing - 11} more like this`);
    await expect(load(file)).rejects.toThrow(/^(?:.*\n){12}.*more like this/);
  });

  it('has its positions interpolated for images of another size', async () => {
    await saveWeights(path, valuesOf(small.params()), small.params());
    const { values } = await load(path, { target: large });
    const before = valuesOf(small.params())['pos_embed'] as HostTensor;
    expect(values['pos_embed']).toEqual({
      shape: [1, 13, 8],
      dtype: 'float32',
      data: interpolatePositions(before.data as Float32Array, { width: 8, from: { rows: 2, columns: 2 }, to: { rows: 3, columns: 4 }, front: 1 }),
    });
    expect(values['norm.weight']).toEqual(valuesOf(small.params())['norm.weight']);
  });
});

describe('an encoder without a file', () => {
  it('has the values that training with its seed starts from', async () => {
    const [first, same, other] = [await load(undefined), await load(undefined), await load(undefined, { seed: 4 })];
    expect(first.values).toEqual(same.values);
    expect(first.values['cls_token']).not.toEqual(other.values['cls_token']);
  });
});

describe('parameters for another size', () => {
  const table = (rows: number): ParamSpecs => ({ 'blocks.0.attn.relative_position_bias_table': { shape: [rows, 2], trainable: true, init: () => new Float32Array(2 * rows), layout: { kind: 'same' } } });
  const resize = (from: number, to: number, fromGrid: Encoder['grid'], toGrid: Encoder['grid']): HostTensor =>
    Object.values(resizeParameters(valuesOf(table(from)), { specs: table(from), grid: fromGrid }, { specs: table(to), grid: toGrid }))[0] as HostTensor;
  const square = (side: number): Encoder['grid'] => ({ rows: side, columns: side });

  it('have tables resized with the grid they stand for, the rows of a class token kept', () => {
    const values = Object.values(valuesOf(table(28)))[0] as HostTensor;
    expect(resize(28, 52, square(3), square(4)).data).toEqual(resizeRelativeTable(values.data as Float32Array, square(3), square(4), 2, true));
  });

  it('have tables of windows resized by their own side', () => {
    const values = Object.values(valuesOf(table(25)))[0] as HostTensor;
    expect(resize(25, 49, square(9), square(12)).data).toEqual(resizeRelativeTable(values.data as Float32Array, square(3), square(4), 2, false));
  });

  it('are refused where a table fits neither the grid nor a square window', () => {
    expect(() => resize(24, 49, square(9), square(12))).toThrow(/blocks\.0\.attn\.relative_position_bias_table: a table of 24 relative positions belongs neither to the grid nor to a square window/);
  });

  it('stay the very same where nothing changes', () => {
    const values = valuesOf(small.params());
    const sized = { specs: small.params(), grid: small.grid };
    expect(resizeParameters(values, sized, sized)['pos_embed']).toBe(values['pos_embed']);
  });

  it('are refused where something else depends on the size', () => {
    const specs = (width: number): ParamSpecs => ({ 'patch_embed.proj.weight': { shape: [width, 2], trainable: true, init: () => new Float32Array(2 * width), layout: { kind: 'linear' } } });
    const values = valuesOf(specs(3));
    expect(() => resizeParameters(values, { specs: specs(3), grid: square(2) }, { specs: specs(9), grid: square(2) })).toThrow(/patch_embed.proj.weight: has shape \[3, 2\], \[9, 2\] is needed/);
  });
});
