import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@mimlab/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectClose, expectNear, gapBetween, isKeyBias } from './closeness.js';
import { goldenCases, loadGolden, tensorOf, withoutPrefix } from './golden-cases.js';

const float = (...data: number[]) => ({ shape: [data.length], dtype: 'float32' as const, data: Float32Array.from(data) });

describe('the finder of golden cases', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'golden-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('lists every matching file of a subject by name', () => {
    mkdirSync(join(root, 'mae'));
    for (const file of ['b.safetensors', 'a.safetensors', 'a.json']) writeFileSync(join(root, 'mae', file), '');
    expect(goldenCases('mae', /\.safetensors$/, root)?.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('gives nothing for a missing subject among others', () => {
    mkdirSync(join(root, 'mae'));
    expect(goldenCases('adamw', /./, root)).toBeUndefined();
  });

  it('refuses a root without any subject, and a subject without any case', () => {
    expect(() => goldenCases('mae', /./, root)).toThrow(/holds no subject/);
    expect(() => goldenCases('mae', /./, join(root, 'missing'))).toThrow(/holds no subject/);
    mkdirSync(join(root, 'mae'));
    expect(() => goldenCases('mae', /\.safetensors$/, root)).toThrow(/no golden case at all/);
  });

  it('reads tensors with the json beside them, and names a tensor that is missing', async () => {
    const path = join(root, 'case.safetensors');
    await writeSafetensors(path, { 'param.a': float(1, 2) }, { method: 'mae' });
    expect((await loadGolden({ name: 'case', path })).json).toBeUndefined();
    writeFileSync(join(root, 'case.json'), '{"seed": 3}');
    const golden = await loadGolden({ name: 'case', path });
    expect([golden.json, golden.metadata['method']]).toEqual([{ seed: 3 }, 'mae']);
    expect([...tensorOf(golden, 'param.a').data]).toEqual([1, 2]);
    expect(Object.keys(withoutPrefix(golden.tensors, 'param.'))).toEqual(['a']);
    expect(() => tensorOf(golden, 'grad.a')).toThrow(/'grad.a'/);
  });
});

describe('closeness', () => {
  it('measures the largest gap, absolutely and against the largest entry of the reference', () => {
    expect(gapBetween([1, 2, 4.5], [1, 2, 4])).toEqual({ absolute: 0.5, relative: 0.125, place: 2 });
    expect(gapBetween([9, 2], [1, 2], (i) => i === 1).absolute).toBe(0);
  });

  it('never takes a number that is none for close', () => {
    expect(() => {
      expectClose('x', float(NaN), float(1), 1);
    }).toThrow();
    expect(() => {
      expectNear('x', float(1, NaN, 1), float(1, 1, 1), 1);
    }).toThrow();
  });

  it('refuses another shape', () => {
    expect(() => {
      expectClose('x', float(1, 2), float(1), 1);
    }).toThrow(/shape/);
  });

  it('knows the key third of a qkv bias', () => {
    const keys = (name: string) => [0, 1, 2, 3, 4, 5].filter((i) => isKeyBias(name, 6, i));
    expect([keys('blocks.0.attn.qkv.bias'), keys('blocks.0.attn.proj.bias')]).toEqual([[2, 3], []]);
  });
});
