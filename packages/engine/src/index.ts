export * from './contract.js';
export * from './config.js';
export * from './non-finite-error.js';
export * from './install/index.js';
export * from './eager/index.js';
