import type { FileHandle } from 'node:fs/promises';
import yauzl from 'yauzl';
import { CheckpointError } from '../errors.js';
import { sizeOfShape, type HostArray, type HostTensor } from '../tensors.js';
import { ELEMENT_TYPES } from './element-types.js';
import { readBytes, withFile } from './file-access.js';
import { TensorRef, type PickleValue } from './pickle-values.js';
import { unpickle } from './restricted-unpickler.js';

/** What a checkpoint holds, as plain data. Dictionaries are objects, tuples are lists. */
export type TorchValue<T = HostTensor> = null | boolean | number | bigint | string | T | TorchValue<T>[] | { [key: string]: TorchValue<T> };

/** Containers in a checkpoint are nested a few levels deep. */
const DEPTH_LIMIT = 500;

/**
 * Values that a file may yield in all. Strides of zero, views of one storage again and again, and packed zeros could
 * claim any number; what people load has at most one value a byte, and few tensors twice.
 */
const valueLimit = (fileSize: number): number => 4 * fileSize + 2 ** 26;

interface ArchiveEntry {
  readonly start: number;
  readonly size: number;
  /** Inflated bytes, for archives that were packed again by another program. */
  readonly inflated?: Uint8Array;
}

/**
 * Reads a `.pth` / `.pt` file: a zip archive that torch.save wrote. Tensors, dictionaries, lists, numbers and texts are
 * kept; objects of any other class are left out (null inside lists). Nothing in the file is executed.
 * @throws CheckpointError if the file is no such archive, is damaged, or in the format from before PyTorch 1.6.
 */
export const readTorchCheckpoint = (path: string): Promise<TorchValue> =>
  readTorchArchive(path, async (structure, read) => {
    // What the pickle refers to twice is made once: references to references could unfold without end.
    const made = new Map<unknown, TorchValue>();
    const materialized = async (value: TorchValue<TensorRef>): Promise<TorchValue> => {
      if (typeof value !== 'object' || value === null) return value;
      const result = made.get(value) ?? (await fresh(value));
      made.set(value, result);
      return result;
    };
    const fresh = async (value: TorchValue<TensorRef> & object): Promise<TorchValue> => {
      if (value instanceof TensorRef) return read(value);
      if (Array.isArray(value)) {
        const items: TorchValue[] = [];
        for (const item of value) items.push(await materialized(item));
        return items;
      }
      const entries: [string, TorchValue][] = [];
      for (const [key, item] of Object.entries(value)) entries.push([key, await materialized(item)]);
      return Object.fromEntries(entries);
    };
    return materialized(structure);
  });

/** @internal opens an archive, reads its structure, and lets `use` read the tensors it wants. */
export function readTorchArchive<T>(path: string, use: (structure: TorchValue<TensorRef>, read: (tensor: TensorRef) => Promise<HostTensor>) => Promise<T>): Promise<T> {
  return withFile(path, async (file, size) => {
    await checkMagic(path, file, size);
    try {
      const entries = await archiveEntries(path, size);
      const pickleName = [...entries.keys()].find((name) => /^(?:[^/]+\/)?data\.pkl$/.test(name));
      if (pickleName === undefined) throw new Error(`the archive has no data.pkl; it was not written by torch.save`);
      const prefix = pickleName.slice(0, -'data.pkl'.length);
      const bytesOf = async (name: string, begin = 0, length?: number): Promise<Uint8Array> => {
        const entry = entries.get(prefix + name);
        if (entry === undefined) throw new Error(`the archive has no entry '${name}'`);
        const wanted = length ?? entry.size;
        if (begin + wanted > entry.size) throw new Error(`entry '${name}' has ${entry.size} bytes, a tensor reaches to ${begin + wanted}`);
        return entry.inflated?.slice(begin, begin + wanted) ?? new Uint8Array(await readBytes(file, entry.start + begin, wanted));
      };
      if (entries.has(`${prefix}byteorder`) && new TextDecoder().decode(await bytesOf('byteorder')) !== 'little') throw new Error('the archive was written on a big-endian machine');
      const structure = plain(unpickle(await bytesOf('data.pkl')), new Set(), new Map());
      let values = 0;
      const read = (tensor: TensorRef): Promise<HostTensor> => {
        values += sizeOfShape(tensor.shape);
        if (!(values <= valueLimit(size))) throw new Error(`a tensor claims the shape [${tensor.shape.join(', ')}]: more values than a file of ${size} bytes can hold`);
        return readTensor(tensor, bytesOf);
      };
      return await use(structure ?? null, read);
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError((cause as Error).message, { place: path, remedy: 'The file may be damaged; copy or download it again.', cause });
    }
  });
}

async function checkMagic(path: string, file: FileHandle, size: number): Promise<void> {
  const magic = Buffer.from(await readBytes(file, 0, Math.min(size, 2))).toString('latin1');
  if (magic === 'PK') return;
  if (magic.startsWith('\x80')) {
    throw new CheckpointError('this checkpoint has the format from before PyTorch 1.6, a bare pickle', {
      place: path,
      remedy: 'Load it with PyTorch once and save it again with torch.save, or as safetensors.',
    });
  }
  throw new CheckpointError('this is no PyTorch checkpoint', { place: path, remedy: 'A zip archive written by torch.save is expected.' });
}

/** Where each entry lies. Torch stores its entries unpacked, so that tensors can be read straight from the file. */
async function archiveEntries(path: string, fileSize: number): Promise<Map<string, ArchiveEntry>> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false });
  const entries = new Map<string, ArchiveEntry>();
  let inflatedBytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw new Error(`entry '${entry.fileName}' is encrypted`);
      if (entry.compressionMethod === 0) {
        const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
        entries.set(entry.fileName, { start: fileDataStart, size: entry.uncompressedSize });
        continue;
      }
      // The stream ends in an error where more comes than the entry promises.
      inflatedBytes += entry.uncompressedSize;
      if (inflatedBytes > 4 * valueLimit(fileSize)) throw new Error(`entry '${entry.fileName}' would unpack to ${entry.uncompressedSize} bytes`);
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      const inflated = Buffer.concat(chunks);
      entries.set(entry.fileName, { start: 0, size: inflated.length, inflated });
    }
  } finally {
    zip.close();
  }
  return entries;
}

/**
 * Without placeholders; undefined for a value that is nothing but one. `open` holds the containers on the way, against
 * circles, `made` what has become of those left behind, so that one that is referred to often is made once.
 */
function plain(value: PickleValue, open: Set<unknown>, made: Map<unknown, TorchValue<TensorRef>>): TorchValue<TensorRef> | undefined {
  if (value === null || typeof value !== 'object' || value instanceof TensorRef) return value;
  if (!Array.isArray(value) && !(value instanceof Map)) return undefined;
  if (open.has(value)) throw new Error('a container in the pickle contains itself');
  if (open.size >= DEPTH_LIMIT) throw new Error(`the pickle is nested deeper than ${DEPTH_LIMIT} levels`);
  const known = made.get(value);
  if (known !== undefined) return known;
  open.add(value);
  const result: TorchValue<TensorRef> = Array.isArray(value)
    ? value.map((item) => plain(item, open, made) ?? null)
    : Object.fromEntries(
        [...value].flatMap(([key, item]) => {
          const kept = plain(item, open, made);
          return kept === undefined || (typeof key !== 'string' && typeof key !== 'number') ? [] : [[String(key), kept]];
        }),
      );
  open.delete(value);
  made.set(value, result);
  return result;
}

async function readTensor(tensor: TensorRef, bytesOf: (name: string, begin: number, length: number) => Promise<Uint8Array>): Promise<HostTensor> {
  const { storage, offset, shape, strides } = tensor;
  const type = ELEMENT_TYPES[storage.dtype];
  const count = sizeOfShape(shape);
  if (count === 0) return { shape, dtype: type.host, data: type.decode(new ArrayBuffer(0)) };
  const extent = 1 + shape.reduce((last, side, axis) => last + (side - 1) * (strides[axis] as number), 0);
  if (offset + extent > storage.length) throw new Error(`a tensor reaches to element ${offset + extent} of storage '${storage.key}', which has ${storage.length}`);
  const bytes = await bytesOf(`data/${storage.key}`, offset * type.bytes, extent * type.bytes);
  const values = type.decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  return { shape, dtype: type.host, data: isContiguous(shape, strides) ? values : gathered(values, shape, strides, count) };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  return shape.every((side, axis) => side === 1 || strides[axis] === sizeOfShape(shape.slice(axis + 1)));
}

/** Copies a strided view into row-major order. */
function gathered(values: HostArray, shape: readonly number[], strides: readonly number[], count: number): HostArray {
  const out = new (values.constructor as new (length: number) => HostArray)(count);
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < count; target++) {
    out[target] = values[source] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      source += strides[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      source -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}

/** Keys under which training scripts put the model. */
const WRAPPERS = ['model', 'state_dict', 'module', 'model_state_dict'];

/**
 * The parameters of a checkpoint: those under `model`, `state_dict` or `module`, or the dictionary itself. The prefix
 * `module.` that data-parallel training puts before every name is taken off.
 * @param keys further keys to look under, tried first
 * @throws CheckpointError if there are no tensors at these places.
 */
export function modelTensors<T extends HostTensor | TensorRef = HostTensor>(value: TorchValue<T>, keys: readonly string[] = []): Record<string, T> {
  const wrappers = [...keys, ...WRAPPERS];
  for (let inner: TorchValue<T> | undefined = value; isDict(inner); ) {
    const dict: { [key: string]: TorchValue<T> } = inner;
    const found = Object.entries(dict).filter((entry): entry is [string, T] => isTensor(entry[1]));
    const wrapped = wrappers.find((key) => Object.hasOwn(dict, key) && isDict(dict[key]));
    if (wrapped === undefined && found.length > 0) {
      const everywhere = found.every(([name]) => name.startsWith('module.'));
      return Object.fromEntries(everywhere ? found.map(([name, tensor]) => [name.slice('module.'.length), tensor]) : found);
    }
    inner = wrapped === undefined ? undefined : dict[wrapped];
  }
  throw new CheckpointError('the checkpoint holds no parameters', {
    remedy: `Expected is a dictionary of tensors, or one under ${wrappers.map((key) => `'${key}'`).join(', ')}; whole pickled models are not read.`,
  });
}

const isTensor = (value: unknown): boolean => value instanceof TensorRef || ArrayBuffer.isView((value as HostTensor | null)?.data);

const isDict = <T>(value: TorchValue<T> | undefined): value is { [key: string]: TorchValue<T> } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value);
