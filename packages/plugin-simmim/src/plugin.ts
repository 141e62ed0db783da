import { definePlugin, ENCODER, IMAGE, TARGET } from '@mimlab/core';
import { patchSizeOf, pixelTarget, SWIN_EPSILON, swinInit, unitMasking, VIT_EPSILON } from '@mimlab/nn';
import { SimMimConfig } from './config.js';
import { simmimDecoder } from './decoder.js';
import { simmimSwinEncoder } from './swin-encoder.js';
import { simmimVitEncoder, vitInit } from './vit-encoder.js';

/**
 * SimMIM: large blocks are hidden behind a mask token, the encoder itself works on all tokens, and a linear head
 * predicts raw pixels under an absolute error. Parameter names, initialisation and arithmetic are those of the official
 * PyTorch release.
 */
export const simmim = definePlugin<SimMimConfig>({
  name: 'simmim',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2111.09886',
  configSchema: SimMimConfig,
  // The paper's costs count the embedding of every patch.
  paperCount: { embedPatches: 'all' },
  hooks: (config) => {
    const patch = patchSizeOf(config.patchSize);
    const unit = patchSizeOf(config.maskUnit);
    return {
      sampler: () => unitMasking({ unit: { rows: unit.height / patch.height, columns: unit.width / patch.width }, maskRatio: config.maskRatio }),

      encoder: (container) =>
        config.arch === 'vit' ? simmimVitEncoder(config, container.resolve(IMAGE), patch) : simmimSwinEncoder(config, container.resolve(IMAGE), patch),

      decoder: (container) => {
        const encoder = container.resolve(ENCODER);
        return simmimDecoder({
          encoder,
          image: container.resolve(IMAGE),
          patch,
          targets: container.resolve(TARGET).spec(encoder.grid),
          aggregatePosition: config.aggregatePosition,
          ...(config.arch === 'vit'
            ? { epsilon: VIT_EPSILON, heads: config.heads, convInit: vitInit }
            : { epsilon: SWIN_EPSILON, heads: config.heads[config.heads.length - 1] as number, convInit: swinInit }),
        });
      },

      target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch, normPix: false, loss: 'l1' }),
    };
  },
});
