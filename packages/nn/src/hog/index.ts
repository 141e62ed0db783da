export * from './orientation-bins.js';
export * from './hog-of-pixels.js';
export * from './hog-of-images.js';
export * from './hog-layer.js';
