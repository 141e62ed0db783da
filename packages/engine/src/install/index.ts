export { cacheFolder } from './cache-folder.js';
export { findTensorflow, type FindOptions, type TensorflowLocation, type TensorflowSource } from './tensorflow-location.js';
export { TENSORFLOW_VERSION } from './tensorflow-wheels.js';
export { installTensorflow, type InstallOptions } from './install-tensorflow.js';
export { bindingState, buildBinding, type BuildOptions } from './binding.js';
export { buildKernels, findKernels } from './kernels.js';
export { describeEnvironment, inspectEnvironment, tryBinding, type EnvironmentReport } from './environment-report.js';
export { quietly } from './quiet-load.js';
export { MissingToolError, oneLine } from './setup-error.js';
