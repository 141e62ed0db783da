export * from './sampler.js';
export * from './encoder.js';
export * from './decoder.js';
export * from './target.js';
export * from './scoring.js';
export * from './trunk.js';
