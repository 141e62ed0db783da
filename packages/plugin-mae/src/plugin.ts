import { definePlugin, ENCODER, IMAGE, TARGET } from '@mimlab/core';
import { LATENT, PATCHES, patchSizeOf, pixelTarget, PIXELS, randomMasking, vitDecoder, vitEncoder } from '@mimlab/nn';
import { MaeConfig } from './config.js';

/**
 * Masked autoencoders: random masking, a ViT over the visible tokens, a small ViT decoder over visible and mask tokens,
 * squared error on the pixels of the masked patches. Parameter names, initialisation and arithmetic are those of the
 * official PyTorch release.
 */
export const mae = definePlugin<MaeConfig>({
  name: 'mae',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2111.06377',
  configSchema: MaeConfig,
  // The paper's costs count the embedding of every patch.
  paperCount: { embedPatches: 'all' },
  hooks: (config) => ({
    sampler: () => randomMasking({ maskRatio: config.maskRatio }),

    encoder: (container) => vitEncoder({ ...config, image: container.resolve(IMAGE), patch: patchSizeOf(config.patchSize) }),

    decoder: (container) => {
      const encoder = container.resolve(ENCODER);
      return vitDecoder({
        encoder,
        feature: LATENT,
        branch: PIXELS,
        values: PATCHES,
        targets: container.resolve(TARGET).spec(encoder.grid),
        width: config.decoderWidth,
        depth: config.decoderDepth,
        heads: config.decoderHeads,
        mlpRatio: config.mlpRatio,
      });
    },

    target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch: patchSizeOf(config.patchSize), normPix: config.normPix }),
  }),
});
