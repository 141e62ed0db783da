import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import type { HostTensor } from '../tensors.js';
import { readSafetensorsHeader } from './safetensors-header.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);

/** A file as any other program may have written it. */
function foreign(name: string, header: unknown, data: Uint8Array = new Uint8Array(0)): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path(name), Buffer.concat([length, json, data]));
  return path(name);
}
const one = (dtype: string, shape: number[], data: Uint8Array): [unknown, Uint8Array] => [{ x: { dtype, shape, data_offsets: [0, data.length] } }, data];
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const values = async (file: string): Promise<number[]> => Array.from((await readSafetensors(file)).tensors['x']?.data ?? []);

describe('what is written is read back', () => {
  it('keeps names, shapes, types, values and metadata', async () => {
    const tensors: Record<string, HostTensor> = {
      'blocks.0.weight': { shape: [2, 2], dtype: 'float32', data: Float32Array.of(1, -2.5, 3e-8, 4) },
      scalar: { shape: [], dtype: 'float32', data: Float32Array.of(7) },
      pixels: { shape: [3], dtype: 'uint8', data: Uint8Array.of(0, 128, 255) },
      counts: { shape: [2], dtype: 'int32', data: Int32Array.of(-1, 2147483647) },
      empty: { shape: [0, 4], dtype: 'float32', data: new Float32Array(0) },
    };
    await writeSafetensors(path('all'), tensors, { step: '12' }, { fsync: true });
    const read = await readSafetensors(path('all'));
    expect(read.tensors).toEqual(tensors);
    expect(read.metadata).toEqual({ step: '12' });
  });

  it('holds for any mixture of tensors', async () => {
    const tensor = fc.oneof(
      fc.array(fc.float(), { maxLength: 5 }).map((list): HostTensor => ({ shape: [list.length], dtype: 'float32', data: Float32Array.from(list) })),
      fc.uint8Array({ maxLength: 5 }).map((data): HostTensor => ({ shape: [1, data.length], dtype: 'uint8', data })),
    );
    const names = fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, tensor), async (tensors) => {
        await writeSafetensors(path('any'), tensors);
        expect((await readSafetensors(path('any'))).tensors).toEqual({ ...tensors });
      }),
      { numRuns: 30 },
    );
  });

  it('writes a view of a larger buffer as its own values', async () => {
    const large = Float32Array.of(1, 2, 3, 4);
    await writeSafetensors(path('view'), { x: { shape: [2], dtype: 'float32', data: large.subarray(1, 3) } });
    expect(await values(path('view'))).toEqual([2, 3]);
  });

  it('starts the data at a multiple of 8 and aligns every tensor, bytes last', async () => {
    await writeSafetensors(path('aligned'), {
      a: { shape: [3], dtype: 'uint8', data: Uint8Array.of(1, 2, 3) },
      b: { shape: [1], dtype: 'float32', data: Float32Array.of(1) },
    });
    const { dataStart, entries } = await readSafetensorsHeader(path('aligned'));
    expect(dataStart % 8).toBe(0);
    expect(entries['b']).toMatchObject({ begin: 0, end: 4 });
    expect(entries['a']).toMatchObject({ begin: 4, end: 7 });
  });

  it('fetches the values of a lazy tensor only when its turn comes', async () => {
    const turns: string[] = [];
    const lazy = (name: string): { shape: number[]; dtype: 'float32'; data: () => Promise<Float32Array> } => ({
      shape: [1],
      dtype: 'float32',
      data: async () => {
        turns.push(name);
        return Float32Array.of(turns.length);
      },
    });
    await writeSafetensors(path('lazy'), { first: lazy('first'), second: lazy('second') });
    expect(turns).toEqual(['first', 'second']);
    expect((await readSafetensors(path('lazy'))).tensors['second']?.data).toEqual(Float32Array.of(2));
  });

  it('reads only what is selected', async () => {
    const x: HostTensor = { shape: [1], dtype: 'float32', data: Float32Array.of(1) };
    await writeSafetensors(path('some'), { 'a.x': x, 'b.x': x });
    expect(Object.keys((await readSafetensors(path('some'), { select: (name) => name.startsWith('b.') })).tensors)).toEqual(['b.x']);
  });
});

describe('other element types', () => {
  it('reads F64 as float32', async () => expect(await values(foreign('f64', ...one('F64', [2], bytesOf(Float64Array.of(0.5, -3)))))).toEqual([0.5, -3]));
  it('reads F16: normal, subnormal, infinite and negative values', async () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555);
    expect(await values(foreign('f16', ...one('F16', [5], bytesOf(halves))))).toEqual([1, -2, 2 ** -24, Infinity, 0.333251953125]);
  });
  it('reads BF16', async () => expect(await values(foreign('bf16', ...one('BF16', [2], bytesOf(Uint16Array.of(0x3f80, 0xc040)))))).toEqual([1, -3]));
  it('reads I64 that fit 32 bits', async () => expect(await values(foreign('i64', ...one('I64', [2], bytesOf(BigInt64Array.of(-5n, 2147483647n)))))).toEqual([-5, 2147483647]));
  it('refuses I64 that do not fit', async () => {
    const file = foreign('wide', ...one('I64', [1], bytesOf(BigInt64Array.of(2147483648n))));
    await expect(readSafetensors(file)).rejects.toThrow(/wide: tensor 'x': element 0 is 2147483648, which does not fit 32 bits/);
  });
  it('reads BOOL as bytes', async () => expect(await values(foreign('bool', ...one('BOOL', [2], Uint8Array.of(1, 0))))).toEqual([1, 0]));
  it('names the types it knows when it meets another', async () => {
    await expect(readSafetensors(foreign('f8', ...one('F8_E4M3', [1], Uint8Array.of(1))))).rejects.toThrow(/element type F8_E4M3 is not known; known are F64, F32/);
  });
});

describe('damaged and foreign files', () => {
  const entry = (begin: number, end: number): unknown => ({ dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] });
  const cases: [what: string, file: () => string, message: RegExp][] = [
    ['a missing file', () => path('missing'), /missing: there is no such file/],
    ['a folder', () => folder, /this is a folder/],
    ['an empty file', () => (writeFileSync(path('none'), ''), path('none')), /0 bytes, too few/],
    ['a text file', () => (writeFileSync(path('text'), 'just some words, no tensors'), path('text')), /the header would be \d+ bytes long/],
    ['a header longer than the file', () => (writeFileSync(path('long'), Buffer.from([99, 0, 0, 0, 0, 0, 0, 0, 1])), path('long')), /99 bytes long, the file has 9 bytes/],
    ['a header that is not JSON', () => foreign('nojson', '{oops'), /not JSON/],
    ['a header that is a list', () => foreign('list', []), /not a JSON object/],
    ['an entry without a shape', () => foreign('shapeless', { x: { dtype: 'U8', data_offsets: [0, 0] } }), /tensor 'x': the entry has no shape/],
    ['a shape that does not fit its bytes', () => foreign('misfit', { x: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, new Uint8Array(4)), /needs 8 bytes, the entry has 4/],
    ['overlapping tensors', () => foreign('overlap', { a: entry(0, 4), b: entry(2, 6) }, new Uint8Array(6)), /'a' and 'b' overlap/],
    ['a hole between tensors', () => foreign('hole', { a: entry(0, 2), b: entry(4, 6) }, new Uint8Array(6)), /2 bytes between 'a' and 'b'/],
    ['data after the last tensor', () => foreign('extra', { a: entry(0, 2) }, new Uint8Array(5)), /3 bytes after the last tensor/],
    ['a file cut short', () => foreign('short', { a: entry(0, 9) }, new Uint8Array(4)), /cut short: its tensors need 9 bytes, it holds 4/],
    ['metadata that is not text', () => foreign('meta', { __metadata__: { a: 1 } }), /strings to strings/],
  ];
  it.each(cases)('refuses %s', async (_, file, message) => {
    const reading = readSafetensors(file());
    await expect(reading).rejects.toThrow(CheckpointError);
    await expect(reading).rejects.toThrow(message);
  });

  it('refuses every proper prefix of a good file', async () => {
    await writeSafetensors(path('whole'), { x: { shape: [4], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4) } });
    for (let size = statSync(path('whole')).size - 1; size >= 0; size -= 7) {
      writeFileSync(path('prefix'), readFileSync(path('whole')));
      truncateSync(path('prefix'), size);
      await expect(readSafetensors(path('prefix'))).rejects.toThrow(CheckpointError);
    }
  });
});

describe('writing that fails', () => {
  const good: HostTensor = { shape: [1], dtype: 'float32', data: Float32Array.of(1) };

  it('keeps the older file and leaves no temporary one', async () => {
    await writeSafetensors(path('kept'), { x: good });
    const failing = { x: good, y: { shape: [1], dtype: 'float32' as const, data: () => Promise.reject(new Error('the device is gone')) } };
    await expect(writeSafetensors(path('kept'), failing)).rejects.toThrow(/kept: the device is gone/);
    expect(await values(path('kept'))).toEqual([1]);
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  it('refuses data that does not fit its shape or type', async () => {
    await expect(writeSafetensors(path('bad'), { x: { ...good, shape: [2] } })).rejects.toThrow(/'x' says float32 \[2\] but has 1 values in a Float32Array/);
    await expect(writeSafetensors(path('bad'), { x: { ...good, data: Int32Array.of(1) } })).rejects.toThrow(/Int32Array/);
  });

  it('names a folder that does not exist', async () => {
    await expect(writeSafetensors(join(folder, 'no', 'such'), { x: good })).rejects.toThrow(/no such file or folder/);
  });

  it('refuses a tensor with the name of the metadata', async () => {
    await expect(writeSafetensors(path('clash'), { __metadata__: good })).rejects.toThrow(CheckpointError);
  });
});
