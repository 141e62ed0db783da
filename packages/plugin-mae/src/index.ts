export { MaeConfig } from './config.js';
export { mae, mae as default } from './plugin.js';
