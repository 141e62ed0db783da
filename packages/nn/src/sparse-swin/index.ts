export * from './grouping.js';
export * from './windows.js';
export * from './sites.js';
export * from './tables.js';
export * from './group-attention.js';
export * from './cost.js';
export * from './encoder.js';
