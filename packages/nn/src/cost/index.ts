export * from './vit.js';
export * from './swin.js';
export * from './frameworks.js';
export * from './memory.js';
