import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import type { HostTensor } from '../tensors.js';
import { loadWeights, saveWeights } from './load-weights.js';
import { pickle, tensor } from './pickle-writer.test-support.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';
import { readWeightFile } from './weight-file.js';
import { zip } from './zip-writer.test-support.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-weight-file-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(path(name), bytes);
  return path(name);
};
const floats = (...values: number[]): HostTensor => ({ shape: [values.length], dtype: 'float32', data: Float32Array.from(values) });
const bytes = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const dict = (entries: Record<string, unknown>): Map<string, unknown> => new Map(Object.entries(entries));
const torch = (value: unknown): Uint8Array => zip({ 'a/data.pkl': pickle(value), 'a/data/0': bytes(1), 'a/data/1': bytes(2) });
const all = (): boolean => true;

describe('the content of a weight file decides, not its name', () => {
  it('where a torch archive is called safetensors', async () => {
    expect((await readWeightFile(put('t.safetensors', torch(dict({ x: tensor('0', [1]) }))), all)).tensors).toEqual({ x: floats(1) });
  });
  it('where a safetensors file is called pth', async () => {
    await writeSafetensors(path('s.pth'), { x: floats(3) }, { made: 'here' });
    expect(await readWeightFile(path('s.pth'), all)).toEqual({ tensors: { x: floats(3) }, metadata: { made: 'here' } });
  });
  it.each([
    ['a NumPy archive', zip({ 'x.npy': Buffer.from('\x93NUMPY') }), /the archive has no data\.pkl; it was not written by torch\.save/],
    ['a NumPy array', Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.alloc(80)]), /the header would be \d+ bytes long\n.*no safetensors file/],
    ['a picture', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40)]), /the header would be \d+ bytes long/],
    ['a page of the web', Buffer.from('<!doctype html><html>not found</html>'), /the header would be \d+ bytes long\n.*download it again/],
    ['a bare pickle', pickle(dict({ epoch: 3 })), /a bare pickle\n.*save it again/],
    ['seven bytes', Buffer.from('PK\x03\x04abc'), /7 bytes, too few/],
  ])('and %s is refused', async (name, content, message) => {
    const reading = readWeightFile(put(name.replaceAll(' ', '-'), content), all);
    await expect(reading).rejects.toThrow(CheckpointError);
    await expect(reading).rejects.toThrow(message);
  });
});

describe('selected tensors of a torch archive', () => {
  it('are read, the others are not', async () => {
    const file = put('select.pth', torch(dict({ good: tensor('0', [1]), broken: tensor('9', [1]) })));
    expect((await readWeightFile(file, (name) => name === 'good')).tensors).toEqual({ good: floats(1) });
  });
  it('are looked for under the keys asked for first', async () => {
    const file = put('keys.pth', torch(dict({ model: dict({ x: tensor('0', [1]) }), teacher: dict({ x: tensor('1', [1]) }) })));
    expect((await readWeightFile(file, all, ['teacher'])).tensors).toEqual({ x: floats(2) });
    expect((await readWeightFile(file, all)).tensors).toEqual({ x: floats(1) });
  });
  it('are missed with file, remedy and the keys looked under', async () => {
    const file = put('none.pth', torch(dict({ epoch: 3 })));
    await expect(readWeightFile(file, all, ['ema'])).rejects.toThrow(`${file}: the checkpoint holds no parameters\n  Expected is a dictionary of tensors, or one under 'ema', 'model'`);
  });
});

describe('tensors that come to have one name', () => {
  const spec = { shape: [1], layout: { kind: 'same' }, trainable: true, init: () => new Float32Array(1) } as const;
  const rename = (name: string): string => name.replace(/^old\./, '');
  it('are refused when they are read, in place of taking either', async () => {
    await writeSafetensors(path('two'), { 'old.x': floats(1), x: floats(2) });
    await expect(loadWeights(path('two'), { x: spec }, { rename })).rejects.toThrow(/two: 'old\.x' and 'x' would both be called 'x'\n.*Keep one/);
  });
  it('are read where one of them is passed over', async () => {
    await writeSafetensors(path('passed'), { 'old.x': floats(1), y: floats(2) });
    expect((await loadWeights(path('passed'), { x: spec }, { rename, ignore: [/^y$/] })).values).toEqual({ x: floats(1) });
  });
  it('are refused when they are written, before there is a file', async () => {
    const specs = { 'old.x': spec, x: spec };
    await expect(saveWeights(path('lost'), { 'old.x': floats(1), x: floats(2) }, specs, {}, { rename })).rejects.toThrow(/would both be called 'x'/);
    expect(readdirSync(folder).filter((name) => name.startsWith('lost'))).toEqual([]);
  });
  it('stay two where names that objects have anyway are meant', async () => {
    const specs = { constructor: spec, toString: spec };
    await saveWeights(path('words'), { constructor: floats(1), toString: floats(2) }, specs);
    expect((await readSafetensors(path('words'))).tensors).toEqual({ constructor: floats(1), toString: floats(2) });
    expect((await loadWeights(path('words'), specs)).missing).toEqual([]);
  });
});
