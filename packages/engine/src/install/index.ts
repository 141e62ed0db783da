export * from './cache-folder.js';
export * from './tensorflow-location.js';
export { TENSORFLOW_VERSION } from './tensorflow-wheels.js';
export * from './install-tensorflow.js';
export * from './binding.js';
export { MissingToolError, oneLine } from './setup-error.js';
