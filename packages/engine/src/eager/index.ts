export { createEagerEngine } from './create-eager-engine.js';
