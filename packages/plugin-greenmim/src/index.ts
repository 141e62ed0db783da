export { GreenMimConfig } from './config.js';
export { greenmim, greenmim as default } from './plugin.js';
