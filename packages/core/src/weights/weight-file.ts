import type { FileHandle } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import type { HostTensor } from '../tensors.js';
import { readBytes, withFile } from './file-access.js';
import type { TensorRef } from './pickle-values.js';
import { readSafetensors, type SafetensorsFile } from './safetensors.js';
import { modelTensors, readTorchArchive } from './torch-archive.js';

/**
 * Reads the tensors of a weight file, safetensors or torch archive; the content decides, not the name.
 * @param select which of them
 * @param keys keys of a torch archive that hold the model, tried before the usual ones
 * @throws CheckpointError
 */
export async function readWeightFile(path: string, select: (name: string) => boolean, keys: readonly string[] = []): Promise<SafetensorsFile> {
  const isTorch = await withFile(path, looksLikeTorch);
  if (!isTorch) return readSafetensors(path, { select });
  return readTorchArchive(path, async (structure, read) => {
    const tensors: [string, HostTensor][] = [];
    for (const [name, tensor] of Object.entries(located(path, () => modelTensors<TensorRef>(structure, keys)))) {
      if (select(name)) tensors.push([name, await read(tensor)]);
    }
    return { tensors: Object.fromEntries(tensors), metadata: {} };
  });
}

/**
 * The first bytes of a zip archive or a pickle may also be the length of a safetensors header, but then that length fits
 * into the file.
 */
async function looksLikeTorch(file: FileHandle, size: number): Promise<boolean> {
  if (size < 8) return false;
  const bytes = Buffer.from(await readBytes(file, 0, 8));
  return /^(PK|\x80)/.test(bytes.toString('latin1')) && bytes.readBigUInt64LE() > BigInt(size);
}

function located<T>(path: string, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.problem, { place: path, ...(error.remedy === undefined ? {} : { remedy: error.remedy }), cause: error });
  }
}
