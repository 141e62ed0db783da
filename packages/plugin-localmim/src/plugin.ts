import { definePlugin, ENCODER, IMAGE, SAMPLER, TARGET, type ParamSpecs } from '@mimlab/core';
import { randomMasking, type LocalMimScale, type PatchSize } from '@mimlab/nn';
import { localBranches, type LocalBranch } from './branches.js';
import { LocalMimConfig, type LocalMimVit } from './config.js';
import { localSwinDecoder } from './swin-decoder.js';
import { checkBatchScope, tappedSwinEncoder } from './swin-encoder.js';
import { localTarget } from './target.js';
import { unitSampler } from './unit-sampler.js';
import { localVitDecoder } from './vit-decoder.js';
import { tappedVitEncoder } from './vit-encoder.js';

const patchOf = ({ patchSize }: LocalMimVit): PatchSize =>
  typeof patchSize === 'number' ? { height: patchSize, width: patchSize } : { height: patchSize[0], width: patchSize[1] };

/** Swin: the resolution behind each stage and its merging, over that of the last. */
const swinScales = (stages: number): LocalMimScale[] => Array.from({ length: stages }, (_, stage) => Math.max(1, 2 ** (stages - 2 - stage)) as LocalMimScale);
const branchesOf = (config: LocalMimConfig): LocalBranch[] => localBranches(config.arch === 'vit' ? config.scales : swinScales(config.depth.length));

/** The Swin version decays neither tables of relative positions nor mask tokens; the ViT version does decay its tokens. */
const withoutDecay = (specs: ParamSpecs): ParamSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, /position_bias|token/.test(name) ? { ...spec, decay: false as const } : spec]));

/**
 * LocalMIM: a masked encoder that small decoders read at growing depth, from fine to coarse predictions of gradient
 * histograms or pixels. Names, initialisation and arithmetic are those of the official PyTorch release.
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
    sampler: () => (config.arch === 'vit' ? randomMasking(config) : unitSampler(config)),

    encoder(container) {
      const image = container.resolve(IMAGE);
      if (config.arch === 'vit') return tappedVitEncoder({ ...config, image, patch: patchOf(config) });
      checkBatchScope(container.resolve(SAMPLER).scope);
      const encoder = tappedSwinEncoder(config, image);
      return { ...encoder, params: () => withoutDecay(encoder.params()) };
    },

    decoder(container) {
      const encoder = container.resolve(ENCODER);
      const options = {
        encoder,
        image: container.resolve(IMAGE),
        branches: branchesOf(config),
        targets: container.resolve(TARGET).spec(encoder.grid),
        width: config.decoderWidth,
        depth: config.decoderDepth,
        heads: config.decoderHeads,
        mlpRatio: config.mlpRatio,
      };
      if (config.arch === 'vit') return localVitDecoder({ ...options, headTokens: config.headTokens });
      const decoder = localSwinDecoder(options);
      return { ...decoder, params: () => withoutDecay(decoder.params()) };
    },

    target: (container) => localTarget({ image: container.resolve(IMAGE), grid: container.resolve(ENCODER).grid, branches: branchesOf(config), feature: config }),
  }),
});
