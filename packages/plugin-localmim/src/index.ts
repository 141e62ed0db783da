export { LocalMimConfig } from './config.js';
export { localMim, localMim as default } from './plugin.js';
export { HOG } from './target.js';
