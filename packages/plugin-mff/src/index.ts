export { MffConfig } from './config.js';
export { fusionEncoder, PLAIN, type FusionEncoderOptions } from './fusion-encoder.js';
export { fromMmpretrainName, toMmpretrainName } from './mmpretrain-names.js';
export { mff, mff as default } from './plugin.js';
