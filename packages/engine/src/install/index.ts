export * from './cache-folder.js';
export * from './tensorflow-location.js';
