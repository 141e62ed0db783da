export { SimMimConfig, type SimMimSwinConfig, type SimMimVitConfig } from './config.js';
export { simmim, simmim as default } from './plugin.js';
export { LATENT, TOKENS } from '@mimlab/nn';
