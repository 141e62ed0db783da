export * from './scale.js';
export * from './cell-groups.js';
export * from './scale-head.js';
