import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError } from '../errors.js';
import { sizeOfShape, type HostArray, type HostTensor, type TensorSpec } from '../tensors.js';
import { ELEMENT_TYPES, FILE_DTYPE } from './element-types.js';
import { fileError, readBytes, withFile, writeBytes } from './file-access.js';
import { headerOf, type SafetensorsEntry } from './safetensors-header.js';

export interface SafetensorsFile {
  readonly tensors: Record<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ReadSafetensorsOptions {
  /** Reads only the tensors this accepts. */
  readonly select?: (name: string) => boolean;
}

/**
 * Reads the tensors of a safetensors file. F64, F16 and BF16 become float32, integers int32, U8 and BOOL uint8.
 * @throws CheckpointError if the file is missing, damaged or no safetensors file, or an integer does not fit 32 bits.
 */
export function readSafetensors(path: string, options: ReadSafetensorsOptions = {}): Promise<SafetensorsFile> {
  return withFile(path, async (file, size) => {
    const { entries, metadata, dataStart } = await headerOf(path, file, size);
    const tensors: [string, HostTensor][] = [];
    for (const [name, entry] of Object.entries(entries)) {
      if (options.select?.(name) === false) continue;
      tensors.push([name, await readEntry(path, name, file, entry, dataStart)]);
    }
    return { tensors: Object.fromEntries(tensors), metadata };
  });
}

async function readEntry(path: string, name: string, file: FileHandle, entry: SafetensorsEntry, dataStart: number): Promise<HostTensor> {
  const type = ELEMENT_TYPES[entry.dtype];
  const bytes = await readBytes(file, dataStart + entry.begin, entry.end - entry.begin);
  try {
    return { shape: entry.shape, dtype: type.host, data: type.decode(bytes) };
  } catch (cause) {
    throw new CheckpointError(`tensor '${name}': ${(cause as Error).message}`, { place: path, cause });
  }
}

/** A tensor whose values may be fetched only when it is its turn to be written, so that a device's state need not be on the host at once. */
export interface WritableTensor extends TensorSpec {
  readonly data: HostArray | (() => HostArray | Promise<HostArray>);
}

export interface WriteSafetensorsOptions {
  /** Returns only after file and folder are on the disk. For checkpoints. */
  readonly fsync?: boolean;
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

let written = 0;

/**
 * Writes a safetensors file, tensor by tensor, under a temporary name beside it, then renames it: readers see the old
 * file or the whole new one. On any failure the temporary file is removed and an older file of this name is untouched.
 * @throws CheckpointError if it cannot be written, or a tensor's data does not fit its shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, WritableTensor>>,
  metadata: Readonly<Record<string, string>> = {},
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  // 4-byte elements first, so that every tensor lies aligned to its element size.
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => Number(a.dtype === 'uint8') - Number(b.dtype === 'uint8'));
  if (Object.hasOwn(tensors, '__metadata__')) throw new CheckpointError(`'__metadata__' cannot be the name of a tensor`, { place: path });
  const temporary = `${path}.tmp-${process.pid}-${written++}`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx');
    await writeBytes(file, headerBytes(ordered, metadata));
    for (const [name, tensor] of ordered) {
      const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data;
      if (data.length !== sizeOfShape(tensor.shape) || !(data instanceof ARRAYS[tensor.dtype])) {
        throw new CheckpointError(`tensor '${name}' says ${tensor.dtype} [${tensor.shape.join(', ')}] but has ${data.length} values in a ${data.constructor.name}`, { place: path });
      }
      await writeBytes(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    if (options.fsync === true) await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
    if (options.fsync === true) await syncFolder(dirname(path));
  } catch (cause) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(path, cause);
  }
}

/** The header, padded with blanks so that the data starts at a multiple of 8. */
function headerBytes(ordered: readonly [string, WritableTensor][], metadata: Readonly<Record<string, string>>): Uint8Array {
  let position = 0;
  const entries = ordered.map(([name, { shape, dtype }]): [string, unknown] => {
    const begin = position;
    position += sizeOfShape(shape) * ELEMENT_TYPES[FILE_DTYPE[dtype]].bytes;
    return [name, { dtype: FILE_DTYPE[dtype], shape, data_offsets: [begin, position] }];
  });
  const described = Object.keys(metadata).length === 0 ? entries : [['__metadata__', metadata], ...entries];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(described as [string, unknown][])));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/** A rename is lasting only once its folder is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
