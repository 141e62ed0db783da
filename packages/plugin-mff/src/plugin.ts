import { definePlugin, ENCODER, IMAGE, TARGET } from '@mimlab/core';
import { LATENT, PATCHES, patchSizeOf, pixelTarget, PIXELS, randomMasking, vitDecoder } from '@mimlab/nn';
import { fusedBlocks, MffConfig } from './config.js';
import { fusionEncoder, PLAIN } from './fusion-encoder.js';

/**
 * Multi-level feature fusion: MAE whose decoder gets a learned mixture of shallow and deep blocks' outputs. Sampler,
 * decoder and target are MAE's; arithmetic and initialisation are those of the authors' release in mmpretrain,
 * parameter names MAE's (see `toMmpretrainName`).
 */
export const mff = definePlugin<MffConfig>({
  name: 'mff',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2308.00261',
  configSchema: MffConfig,
  // The paper's costs count the embedding of every patch.
  paperCount: { embedPatches: 'all' },
  hooks: (config) => ({
    sampler: () => randomMasking({ maskRatio: config.maskRatio }),

    encoder: (container) =>
      fusionEncoder({
        ...config,
        image: container.resolve(IMAGE),
        patch: patchSizeOf(config.patchSize),
        blocks: fusedBlocks(config),
        output: config.evaluate === 'plain' ? PLAIN : LATENT,
      }),

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
        positions: config.positions,
      });
    },

    target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch: patchSizeOf(config.patchSize), normPix: config.normPix }),
  }),
});
