import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import type { HostTensor } from '../tensors.js';
import { loadWeights } from './load-weights.js';
import { Global, pickle, Persistent, Raw, Reduce, tensor } from './pickle-writer.test-support.js';
import { writeSafetensors } from './safetensors.js';
import { modelTensors, readTorchCheckpoint } from './torch-archive.js';
import { zip, type ZipOptions } from './zip-writer.test-support.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-torch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const floats = (...values: number[]): Uint8Array => bytesOf(Float32Array.from(values));
let files = 0;

/** Writes an archive as torch.save does. */
function save(value: unknown, storages: Record<string, Uint8Array> = {}, options: ZipOptions & { root?: string } = {}): string {
  const { root = 'archive' } = options;
  const file = join(folder, `${files++}.pth`);
  const data = Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`${root}/data/${key}`, bytes]));
  writeFileSync(file, zip({ [`${root}/data.pkl`]: pickle(value), [`${root}/byteorder`]: Buffer.from('little'), ...data, [`${root}/version`]: Buffer.from('3\n') }, options));
  return file;
}
const dict = (entries: Record<string, unknown>): Map<string, unknown> => new Map(Object.entries(entries));
const read = (value: unknown, storages: Record<string, Uint8Array> = {}, options: ZipOptions = {}): Promise<unknown> => readTorchCheckpoint(save(value, storages, options));
const only = async (value: unknown, bytes: Uint8Array): Promise<unknown> => ((await read(dict({ x: value }), { 0: bytes })) as { x: unknown }).x;
const hostFloats = (shape: readonly number[], ...values: number[]): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from(values) });

describe('values', () => {
  it('keeps numbers, texts, lists and dictionaries', async () => {
    expect(await read(dict({ a: 1, b: -2.5, c: 'é', d: null, e: [true, false, [3]], f: dict({ g: 70000 }) }))).toEqual({ a: 1, b: -2.5, c: 'é', d: null, e: [true, false, [3]], f: { g: 70000 } });
  });
  it('reads ordered dictionaries, and passes over the metadata hung on them', async () => {
    const ordered = new Reduce(new Global('collections', 'OrderedDict'), [], dict({ _metadata: dict({ version: 1 }) }));
    expect(await read(dict({ state: ordered }))).toEqual({ state: {} });
  });
  it('keeps number keys, as optimizer states have, as texts', async () => {
    expect(await read(new Map([[0, 'first']]))).toEqual({ 0: 'first' });
  });
  it('reads the short instructions of newer protocols', async () => {
    // FRAME, EMPTY_LIST, MEMOIZE, MARK, SHORT_BINUNICODE 'ab', BININT1 7, BININT2 258, LONG1 -2, APPENDS
    const raw = [0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x5d, 0x94, 0x28, 0x8c, 2, 97, 98, 0x4b, 7, 0x4d, 2, 1, 0x8a, 1, 254, 0x65];
    expect(await read(new Raw(raw))).toEqual(['ab', 7, 258, -2]);
  });
  it('finds values again that the pickle refers back to', async () => {
    // MARK, BINUNICODE 'a', BINPUT 5, BINGET 5, TUPLE
    expect(await read(new Raw([0x28, 0x58, 1, 0, 0, 0, 97, 0x71, 5, 0x68, 5, 0x74]))).toEqual(['a', 'a']);
  });
});

describe('tensors', () => {
  it('reads float32', async () => expect(await only(tensor('0', [2, 2]), floats(1, 2, 3, 4))).toEqual(hostFloats([2, 2], 1, 2, 3, 4)));
  it.each([
    ['DoubleStorage', Float64Array.of(1, 2)],
    ['HalfStorage', Uint16Array.of(0x3c00, 0x4000)],
    ['BFloat16Storage', Uint16Array.of(0x3f80, 0x4000)],
  ])('reads %s as float32', async (type, array) => expect(await only(tensor('0', [2], { type }), bytesOf(array))).toEqual(hostFloats([2], 1, 2)));
  it.each([
    ['LongStorage', BigInt64Array.of(-1n, 5n)],
    ['IntStorage', Int32Array.of(-1, 5)],
    ['ShortStorage', Int16Array.of(-1, 5)],
    ['CharStorage', Int8Array.of(-1, 5)],
  ])('reads %s as int32', async (type, array) => {
    expect(await only(tensor('0', [2], { type }), bytesOf(array))).toEqual({ shape: [2], dtype: 'int32', data: Int32Array.of(-1, 5) });
  });
  it('reads bytes and booleans as bytes', async () => {
    expect(await only(tensor('0', [2], { type: 'BoolStorage' }), Uint8Array.of(1, 0))).toEqual({ shape: [2], dtype: 'uint8', data: Uint8Array.of(1, 0) });
  });
  it('reads a scalar and a tensor without elements', async () => {
    expect(await only(tensor('0', []), floats(7))).toEqual(hostFloats([], 7));
    expect(await only(tensor('0', [0, 3]), floats())).toEqual(hostFloats([0, 3]));
  });
  it('follows strides: a transposed matrix', async () => {
    expect(await only(tensor('0', [3, 2], { strides: [1, 3], length: 6 }), floats(1, 2, 3, 4, 5, 6))).toEqual(hostFloats([3, 2], 1, 4, 2, 5, 3, 6));
  });
  it('follows strides of zero: an expanded tensor', async () => {
    expect(await only(tensor('0', [2, 2], { strides: [0, 1], length: 2 }), floats(1, 2))).toEqual(hostFloats([2, 2], 1, 2, 1, 2));
  });
  it('reads views of one shared storage', async () => {
    const views = dict({ a: tensor('0', [2], { length: 4 }), b: tensor('0', [2], { length: 4, offset: 2 }) });
    expect(await read(views, { 0: floats(1, 2, 3, 4) })).toEqual({ a: hostFloats([2], 1, 2), b: hostFloats([2], 3, 4) });
  });
  it('takes the data of a parameter', async () => {
    const parameter = new Reduce(new Global('torch._utils', '_rebuild_parameter'), [tensor('0', [1]), true, null]);
    expect(await only(parameter, floats(3))).toEqual(hostFloats([1], 3));
  });
  it('takes the data of a tensor that carries attributes', async () => {
    const { callee, args } = tensor('0', [1]);
    const subclass = new Reduce(new Global('torch._tensor', '_rebuild_from_type_v2'), [callee, new Global('some.module', 'Tagged'), args, new Map([['tag', 1]])]);
    expect(await only(subclass, floats(3))).toEqual(hostFloats([1], 3));
  });
  it('gives the values that a permuted copy has, for any order of axes', async () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shapes, fc.infiniteStream(fc.nat()), async (shape, keys) => {
        const order = shape.map((_, axis) => ({ axis, key: keys.next().value as number })).sort((a, b) => a.key - b.key || a.axis - b.axis);
        const strides: number[] = [];
        let size = 1;
        for (const { axis } of order) {
          strides[axis] = size;
          size *= shape[axis]!;
        }
        const data = Float32Array.from({ length: size }, (_, i) => i);
        const expected = Array.from({ length: size }, (_, flat) => {
          let rest = flat;
          let at = 0;
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            at += (rest % shape[axis]!) * strides[axis]!;
            rest = Math.floor(rest / shape[axis]!);
          }
          return at;
        });
        expect(await only(tensor('0', shape, { strides, length: size }), bytesOf(data))).toEqual(hostFloats(shape, ...expected));
      }),
      { numRuns: 25 },
    );
  });
});

describe('archives', () => {
  const value = dict({ x: tensor('0', [2]) });
  const expected = { x: hostFloats([2], 1, 2) };
  it('of any name inside are read', async () => expect(await readTorchCheckpoint(save(value, { 0: floats(1, 2) }, { root: 'mae_pretrain' }))).toEqual(expected));
  it('with zip64 fields are read', async () => expect(await read(value, { 0: floats(1, 2) }, { zip64: true })).toEqual(expected));
  it('packed again by another program are read', async () => expect(await read(value, { 0: floats(1, 2) }, { deflate: true })).toEqual(expected));
});

describe('hostile and strange pickles', () => {
  const marker = (): string => join(folder, 'executed');
  const attacks: [string, () => unknown][] = [
    ['a call of os.system', () => new Reduce(new Global('os', 'system'), [`touch ${marker()}`])],
    ['a call of eval', () => new Reduce(new Global('builtins', 'eval'), [`open(${JSON.stringify(marker())}, 'w')`])],
    ['a name that objects have here', () => new Reduce(new Global('constructor', 'constructor'), ['return process'])],
    ['a call by STACK_GLOBAL', () => new Raw([0x8c, 2, 0x6f, 0x73, 0x8c, 6, ...Buffer.from('system'), 0x93, 0x28, 0x58, 1, 0, 0, 0, 120, 0x74, 0x52])],
    ['an object by INST', () => new Raw([0x28, 0x69, ...Buffer.from('os\nsystem\n')])],
    ['an object by OBJ', () => new Raw([0x28, 0x63, ...Buffer.from('os\nsystem\n'), 0x4e, 0x6f])],
    ['argparse.Namespace with attributes', () => new Reduce(new Global('argparse', 'Namespace'), [], dict({ lr: 0.1 }))],
    ['a numpy scalar', () => new Reduce(new Global('numpy.core.multiarray', 'scalar'), [new Reduce(new Global('numpy', 'dtype'), ['f8', 0, 1]), 'x'])],
    ['an unknown storage', () => tensor('0', [1], { type: 'ComplexFloatStorage' })],
    ['an unknown persistent id', () => new Persistent(['module', 'x'])],
    ['a tensor with a negative offset', () => tensor('0', [1], { offset: -1 })],
    ['a tensor of a made-up storage', () => new Reduce(new Global('torch._utils', '_rebuild_tensor_v2'), ['storage', 0, [1], [1]])],
    ['an ordered dictionary of nonsense', () => new Reduce(new Global('os', 'environ'), [[['a', 'b']]])],
  ];
  it.each(attacks)('%s does nothing and is left out', async (_, attack) => {
    expect(await read(dict({ attack: attack(), epoch: 3 }))).toEqual({ epoch: 3 });
    expect(existsSync(marker())).toBe(false);
  });

  it('BUILD on a dictionary changes nothing', async () => {
    const built = new Reduce(new Global('collections', 'OrderedDict'), [], dict({ __class__: 'x', constructor: 'y' }));
    expect(await read(dict({ state: built }))).toEqual({ state: {} });
  });

  it('a key named __proto__ stays a key', async () => {
    const value = (await read(new Map<string, unknown>([['__proto__', new Map([['polluted', 1]])]]))) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('bytes of any kind give a value or a typed error, never anything else', async () => {
    const instructions = [0x28, 0x29, 0x30, 0x31, 0x32, 0x4a, 0x4b, 0x4e, 0x51, 0x52, 0x58, 0x5d, 0x61, 0x62, 0x63, 0x65, 0x68, 0x71, 0x73, 0x74, 0x75, 0x7d, 0x81, 0x85, 0x86, 0x87, 0x8a, 0x90, 0x93, 0x94];
    const bytes = fc.array(fc.oneof(fc.constantFrom(...instructions), fc.integer({ min: 0, max: 255 })), { maxLength: 30 });
    const outcomes = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(bytes, async (raw) => {
        const error: unknown = await read(new Raw(raw)).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        outcomes.add(error === undefined);
        expect(error === undefined || error instanceof CheckpointError).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(outcomes.has(false)).toBe(true);
  });

  it('placeholders inside lists leave a gap', async () => {
    expect(await read([1, new Global('os', 'system'), 2])).toEqual([1, null, 2]);
  });

  const refused: [string, () => Promise<unknown>, RegExp][] = [
    ['an instruction that torch does not write', () => read(new Raw([0x82, 1])), /instruction 0x82, which is not supported/],
    ['a pickle cut short', () => read(new Raw([0x58, 99, 0, 0, 0])), /cut short/],
    ['a pickle that takes too much', () => read(new Raw([0x30])), /takes a value that is not there/],
    ['a reference to nothing', () => read(new Raw([0x68, 9])), /refers to a value that is not there/],
    ['tuples without a mark', () => read(new Raw([0x74])), /takes a mark that is not there/],
    // EMPTY_LIST, BINPUT 0, BINGET 0, APPEND: a list in itself
    ['a list that contains itself', () => read(new Raw([0x5d, 0x71, 0, 0x68, 0, 0x61])), /contains itself/],
    ['a tensor beyond its storage', () => read(dict({ x: tensor('0', [4], { length: 2 }) }), { 0: floats(1, 2) }), /element 4 of storage '0', which has 2/],
    ['a storage longer than its entry', () => read(dict({ x: tensor('0', [4]) }), { 0: floats(1, 2) }), /has 8 bytes, a tensor reaches to 16/],
    ['a storage without an entry', () => read(dict({ x: tensor('7', [1]) })), /no entry 'data\/7'/],
    ['a tensor of impossible size', () => read(dict({ x: tensor('0', [2000000000, 2000000000], { strides: [0, 0], length: 1 }) }), { 0: floats(1) }), /claims the shape/],
  ];
  it.each(refused)('refuses %s', async (_, reading, message) => {
    const promise = reading();
    await expect(promise).rejects.toThrow(CheckpointError);
    await expect(promise).rejects.toThrow(message);
  });
});

describe('files that are no archives of torch', () => {
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  it('refuses the format from before 1.6 with the remedy', async () => {
    await expect(readTorchCheckpoint(file('old.pth', pickle(dict({}))))).rejects.toThrow(/before PyTorch 1\.6.*\n.*save it again with torch\.save/);
  });
  it('refuses anything else', async () => {
    await expect(readTorchCheckpoint(file('text.pth', Buffer.from('hello')))).rejects.toThrow(/this is no PyTorch checkpoint/);
    await expect(readTorchCheckpoint(file('empty.pth', Buffer.alloc(0)))).rejects.toThrow(/this is no PyTorch checkpoint/);
  });
  it('refuses a zip archive of something else', async () => {
    await expect(readTorchCheckpoint(file('other.zip', zip({ 'a.txt': Buffer.from('a') })))).rejects.toThrow(/no data\.pkl/);
  });
  it('refuses an archive cut short', async () => {
    const whole = zip({ 'a/data.pkl': pickle(dict({})) });
    await expect(readTorchCheckpoint(file('short.pth', whole.subarray(0, whole.length - 30)))).rejects.toThrow(CheckpointError);
  });
  it('refuses an archive from a big-endian machine', async () => {
    await expect(readTorchCheckpoint(file('big.pth', zip({ 'a/data.pkl': pickle(dict({})), 'a/byteorder': Buffer.from('big') })))).rejects.toThrow(/big-endian/);
  });
});

describe('modelTensors', () => {
  const x = hostFloats([1], 1);
  it.each([['model'], ['state_dict'], ['module'], ['model_state_dict']])('finds the parameters under %s', (key) => {
    expect(modelTensors({ [key]: { 'a.weight': x }, optimizer: { state: {} }, epoch: 4 })).toEqual({ 'a.weight': x });
  });
  it('takes a flat dictionary as it is, without what is no tensor', () => expect(modelTensors({ a: x, epoch: 1 })).toEqual({ a: x }));
  it('looks through two layers', () => expect(modelTensors({ state_dict: { module: { a: x } } })).toEqual({ a: x }));
  it('takes off the prefix of data-parallel training', () => expect(modelTensors({ 'module.a': x, 'module.b': x })).toEqual({ a: x, b: x }));
  it('keeps the prefix where only some names have it', () => expect(modelTensors({ 'module.a': x, b: x })).toEqual({ 'module.a': x, b: x }));
  it('looks under further keys first, in their order', () => {
    const both = { student: { a: hostFloats([1], 2) }, teacher: { a: x }, model: { b: x } };
    expect(modelTensors(both, ['teacher', 'student'])).toEqual({ a: x });
    expect(modelTensors({ student: both.student }, ['teacher', 'student'])).toEqual(both.student);
    expect(modelTensors({ model: both.model }, ['teacher'])).toEqual({ b: x });
  });
  it('refuses a checkpoint without parameters', () => {
    expect(() => modelTensors({ epoch: 1 })).toThrow(/holds no parameters/);
    expect(() => modelTensors(null)).toThrow(CheckpointError);
  });
});

describe('loadWeights', () => {
  const specs = { 'fc.weight': { shape: [2, 1], trainable: true, layout: { kind: 'linear' as const }, init: () => new Float32Array(2) } };
  it('reads a torch checkpoint, whatever its name, and leaves the optimizer alone', async () => {
    const broken = tensor('9', [1]);
    const file = save(dict({ model: dict({ 'fc.weight': tensor('0', [1, 2]) }), optimizer: dict({ exp_avg: broken }) }), { 0: floats(5, 6) });
    expect((await loadWeights(file, specs)).values).toEqual({ 'fc.weight': hostFloats([2, 1], 5, 6) });
  });
  it('names the file of a checkpoint without parameters', async () => {
    const file = save(dict({ epoch: 1 }));
    await expect(loadWeights(file, specs)).rejects.toThrow(`${file}: the checkpoint holds no parameters`);
  });
  it('does not take a safetensors file for a pickle when its first byte is that of one', async () => {
    const file = join(folder, 'lookalike');
    for (let padding = 0; padding < 200; padding++) {
      await writeSafetensors(file, { 'fc.weight': hostFloats([1, 2], 1, 2) }, { padding: 'x'.repeat(padding) });
      await expect(loadWeights(file, specs)).resolves.toMatchObject({ missing: [] });
    }
  });
});
