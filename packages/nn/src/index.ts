export * from './cost/index.js';
