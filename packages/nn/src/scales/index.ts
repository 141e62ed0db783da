export * from './scale.js';
export * from './cell-groups.js';
export * from './scale-head.js';
export * from './prediction-head.js';
export * from './scale-loss.js';
