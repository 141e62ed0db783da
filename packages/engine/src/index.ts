export * from './contract.js';
export * from './config.js';
export * from './non-finite-error.js';
export * from './install/index.js';
export * from './eager/index.js';
export { createEngine } from './create-engine.js';
export * from './trace/index.js';
export { profileStep, type StepProfile } from './graph/profile-step.js';
export { residentPeak, resetResidentPeak } from './graph/resident-memory.js';
