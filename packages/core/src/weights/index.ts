export { readSafetensorsHeader, type SafetensorsEntry, type SafetensorsHeader } from './safetensors-header.js';
export {
  readSafetensors,
  syncFolder,
  writeSafetensors,
  type ReadSafetensorsOptions,
  type SafetensorsFile,
  type WritableTensor,
  type WriteSafetensorsOptions,
} from './safetensors.js';
export { fileShape, fromFileLayout, toFileLayout } from './layout.js';
export { loadWeights, MODEL_FILE, saveWeights, type LoadedWeights, type LoadWeightsOptions, type SaveWeightsOptions } from './load-weights.js';
export { modelTensors, readTorchCheckpoint, type TorchValue } from './torch-archive.js';
export { readWeightFile } from './weight-file.js';
