import { readSafetensors, type SafetensorsFile } from './safetensors.js';

/** Reads the tensors of a weight file. @throws CheckpointError */
export function readWeightFile(path: string, select: (name: string) => boolean): Promise<SafetensorsFile> {
  return readSafetensors(path, { select });
}
