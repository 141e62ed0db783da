import { definePlugin, ENCODER, IMAGE, TARGET } from '@mimlab/core';
import { randomMasking, type PatchSize } from '@mimlab/nn';
import { localBranches } from './branches.js';
import { LocalMimConfig, tapsOf } from './config.js';
import { localTarget, type LocalFeature } from './target.js';
import { localVitDecoder } from './vit-decoder.js';
import { tappedVitEncoder } from './vit-encoder.js';

const patchOf = ({ patchSize }: LocalMimConfig): PatchSize =>
  typeof patchSize === 'number' ? { height: patchSize, width: patchSize } : { height: patchSize[0], width: patchSize[1] };

const featureOf = ({ kind, bins, hogBias, normPix }: LocalMimConfig): LocalFeature => (kind === 'hog' ? { kind, bins, hogBias } : { kind, normPix });

/**
 * LocalMIM: MAE's masking and encoder, and four small decoders that read it at growing depth, from fine to coarse
 * predictions of gradient histograms or pixels. Names, initialisation and arithmetic are those of the official PyTorch
 * release.
 */
export const localMim = definePlugin<LocalMimConfig>({
  name: 'localmim',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2303.05251',
  configSchema: LocalMimConfig,
  // Published costs count the embedding of every patch and heads on the whole grid.
  paperCount: { embedPatches: 'all', headTokens: 'grid' },
  hooks: (config) => ({
    sampler: () => randomMasking({ maskRatio: config.maskRatio }),

    encoder: (container) => tappedVitEncoder({ ...config, image: container.resolve(IMAGE), patch: patchOf(config), taps: tapsOf(config) }),

    decoder: (container) => {
      const encoder = container.resolve(ENCODER);
      return localVitDecoder({
        encoder,
        image: container.resolve(IMAGE),
        branches: localBranches(config.scales),
        targets: container.resolve(TARGET).spec(encoder.grid),
        width: config.decoderWidth,
        depth: config.decoderDepth,
        heads: config.decoderHeads,
        mlpRatio: config.mlpRatio,
        headTokens: config.headTokens,
      });
    },

    target: (container) =>
      localTarget({ image: container.resolve(IMAGE), grid: container.resolve(ENCODER).grid, branches: localBranches(config.scales), feature: featureOf(config) }),
  }),
});
