import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParamSpec, ParamSpecs } from '../params.js';
import { sizeOfShape, type HostTensor } from '../tensors.js';
import { loadWeights, saveWeights } from './load-weights.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-weights-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

const spec = (shape: readonly number[], layout: ParamSpec['layout'] = { kind: 'same' }): ParamSpec => ({
  shape,
  layout,
  trainable: true,
  init: () => new Float32Array(sizeOfShape(shape)),
});
const floats = (shape: readonly number[], ...values: number[]): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from(values) });

const specs: ParamSpecs = { 'proj.weight': spec([1, 2], { kind: 'linear' }), 'proj.bias': spec([2]) };
const values = { 'proj.weight': floats([1, 2], 5, 6), 'proj.bias': floats([2], 1, 2) };

describe('saveWeights', () => {
  it('writes official names in the layout of files', async () => {
    await saveWeights(path('official'), values, specs, { method: 'tiny' });
    const { tensors, metadata } = await readSafetensors(path('official'));
    expect(tensors['proj.weight']).toEqual(floats([2, 1], 5, 6));
    expect(metadata).toEqual({ method: 'tiny' });
  });

  it('takes values that are fetched one at a time', async () => {
    await saveWeights(path('lazy'), { ...values, 'proj.bias': { ...values['proj.bias'], data: async () => Float32Array.of(8, 9) } }, specs);
    expect((await readSafetensors(path('lazy'))).tensors['proj.bias']).toEqual(floats([2], 8, 9));
  });

  it('refuses a parameter without a value', async () => {
    await expect(saveWeights(path('lacking'), { 'proj.bias': values['proj.bias'] }, specs)).rejects.toThrow(/'proj.weight' has no value/);
  });

  it('refuses a value without a parameter', async () => {
    await expect(saveWeights(path('extra'), { ...values, other: floats([1], 1) }, specs)).rejects.toThrow(/no parameter: other/);
  });
});

describe('loadWeights', () => {
  it('gives back in memory layout what was saved', async () => {
    await saveWeights(path('whole'), values, specs);
    const loaded = await loadWeights(path('whole'), specs);
    expect(loaded.values).toEqual(values);
    expect([loaded.missing, loaded.unexpected]).toEqual([[], []]);
  });

  it('finds the newest checkpoint of a run folder', async () => {
    for (const [step, value] of [['step-00000009', 1], ['step-00000010', 2], ['.unfinished-step-00000011', 3]] as const) {
      mkdirSync(path(`run/checkpoints/${step}`), { recursive: true });
      await saveWeights(path(`run/checkpoints/${step}/model.safetensors`), { ...values, 'proj.bias': floats([2], value, value) }, specs);
    }
    expect((await loadWeights(path('run'), specs)).values['proj.bias']).toEqual(floats([2], 2, 2));
  });

  it('says that a run has no checkpoint yet', async () => {
    mkdirSync(path('young/checkpoints'), { recursive: true });
    await expect(loadWeights(path('young'), specs)).rejects.toThrow(/young: the run has no checkpoint yet/);
  });

  it('translates names both ways', async () => {
    await saveWeights(path('foreign'), values, specs, {}, { rename: (name) => `net.${name}` });
    expect(Object.keys((await readSafetensors(path('foreign'))).tensors)).toEqual(['net.proj.weight', 'net.proj.bias']);
    const rename = (name: string): string => name.replace(/^net\./, '');
    expect((await loadWeights(path('foreign'), specs, { rename })).values).toEqual(values);
    // What is passed over goes by our names.
    await expect(loadWeights(path('foreign'), specs, { rename, ignore: [/^proj\.bias$/] })).rejects.toThrow(/'proj.bias' is missing/);
  });

  it('finds the model in a checkpoint folder', async () => {
    mkdirSync(path('step-1'));
    await saveWeights(path('step-1/model.safetensors'), values, specs);
    expect((await loadWeights(path('step-1'), specs)).values).toEqual(values);
  });

  it('lists every mismatch at once, with the nearest name', async () => {
    await writeSafetensors(path('wrong'), {
      'proj.weight': floats([1, 2], 1, 2),
      'proj.biass': floats([2], 1, 2),
    });
    const loading = loadWeights(path('wrong'), specs);
    await expect(loading).rejects.toThrow(/'proj.weight' has shape \[1, 2\], the model has \[2, 1\]/);
    await expect(loading).rejects.toThrow(/'proj.bias' is missing; did you mean 'proj.biass'\?/);
    await expect(loading).rejects.toThrow(/'proj.biass' is not known to the model; did you mean 'proj.bias'\?/);
  });

  it('shortens a long list', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`layer.${i}.weight`, spec([1])]));
    await writeSafetensors(path('none'), {});
    const message = await loadWeights(path('none'), many).catch((error: Error) => error.message);
    expect(message).toContain('... and 29 more like this');
  });

  it('refuses integers where the model has floats', async () => {
    await writeSafetensors(path('ints'), { b: { shape: [1], dtype: 'int32', data: Int32Array.of(1) } });
    await expect(loadWeights(path('ints'), { b: spec([1]) })).rejects.toThrow(/'b' holds int32 values/);
  });

  it('loads what fits when it is not strict, and says what did not', async () => {
    await writeSafetensors(path('part'), { 'proj.bias': values['proj.bias'], other: floats([1], 1) });
    const loaded = await loadWeights(path('part'), specs, { strict: false });
    expect(Object.keys(loaded.values)).toEqual(['proj.bias']);
    expect([loaded.missing, loaded.unexpected]).toEqual([['proj.weight'], ['other']]);
  });

  it('refuses another shape even when it is not strict', async () => {
    await writeSafetensors(path('shape'), { 'proj.bias': floats([3], 1, 2, 3) });
    await expect(loadWeights(path('shape'), specs, { strict: false })).rejects.toThrow(/shape \[3\]/);
  });

  it('passes over ignored tensors and lets named parameters be missing', async () => {
    await writeSafetensors(path('headless'), { 'proj.weight': floats([9], 1, 2, 3, 4, 5, 6, 7, 8, 9), 'proj.bias': values['proj.bias'] });
    const loaded = await loadWeights(path('headless'), specs, { ignore: [/weight$/], allowMissing: [/weight$/g] });
    expect(loaded.missing).toEqual(['proj.weight']);
  });

  it('passes over the buffers of window attention, whatever their type', async () => {
    const index: HostTensor = { shape: [2], dtype: 'int32', data: Int32Array.of(3, 4) };
    const buffers = { 'attn.relative_position_index': index, attn_mask: floats([1], -100) };
    await writeSafetensors(path('buffers'), { 'proj.weight': floats([2, 1], 5, 6), 'proj.bias': floats([2], 1, 2), ...buffers });
    const loaded = await loadWeights(path('buffers'), specs);
    expect(loaded.values).toEqual(values);
    expect(loaded.unexpected).toEqual([]);
  });

  it('names a path that does not exist', async () => {
    await expect(loadWeights(path('nowhere'), specs)).rejects.toThrow(/nowhere: there is no such file/);
  });

  it('names the file that a checkpoint folder lacks', async () => {
    mkdirSync(path('hollow'));
    await expect(loadWeights(path('hollow'), specs)).rejects.toThrow(/model\.safetensors: there is no such file/);
  });
});
