import { definePlugin, ENCODER, IMAGE, SAMPLER, TARGET, type ImageSpec } from '@mimlab/core';
import {
  checkSparseSampler,
  isTableOrToken,
  patchSizeOf,
  randomMasking,
  sparing,
  sparseMasking,
  sparseSwinEncoder,
  sparseSwinStages,
  tappedVitEncoder,
  unitMasking,
  type LocalMimScale,
  type SparseSwinOptions,
} from '@mimlab/nn';
import { localBranches, type LocalBranch } from './branches.js';
import { LocalMimConfig, type LocalMimSwin } from './config.js';
import { localDecoder } from './decoder.js';
import { localTarget } from './target.js';

/** Swin: the resolution behind each stage and its merging, over that of the last. */
const swinScales = (stages: number): LocalMimScale[] => Array.from({ length: stages }, (_, stage) => Math.max(1, 2 ** (stages - 2 - stage)) as LocalMimScale);
const branchesOf = (config: LocalMimConfig): LocalBranch[] => localBranches(config.arch === 'vit' ? config.scales : swinScales(config.depth.length));

/** The Swin version's encoder: GreenMIM's, read behind every stage. `merging: released` keeps its two slips (specification, section 1.9). */
const swinOptions = ({ merging, depth, patchSize, ...config }: LocalMimSwin, image: ImageSpec): SparseSwinOptions => ({
  ...config,
  image,
  patch: { height: patchSize, width: patchSize },
  depths: depth,
  grouping: 'compact',
  readings: 'stages',
  ...(merging === 'released' ? { joining: 'rows', misplaced: true } : {}),
});

/**
 * How many of the mask units are hidden: the released code compares the places of a permutation, counted from 0, by "at
 * most" with the whole part of ratio times units, which hides one more than that.
 */
const hiddenUnits = (units: number, maskRatio: number): number => Math.trunc(units * maskRatio) + 1;

/** One random mask of units, each a token of the last stage, for a micro-batch. */
const unitSampler = (config: LocalMimSwin, image: ImageSpec) =>
  sparseMasking({
    stages: sparseSwinStages(swinOptions(config, image)),
    grouping: 'compact',
    masking: unitMasking({ unit: { rows: 1, columns: 1 }, maskRatio: config.maskRatio, hidden: hiddenUnits }),
  });

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
    sampler: (container) => (config.arch === 'vit' ? randomMasking(config) : unitSampler(config, container.resolve(IMAGE))),

    encoder(container) {
      const image = container.resolve(IMAGE);
      if (config.arch === 'vit') return tappedVitEncoder({ ...config, image, patch: patchSizeOf(config.patchSize) }, config.taps);
      const encoder = sparseSwinEncoder(swinOptions(config, image));
      checkSparseSampler(container.resolve(SAMPLER), encoder, image);
      return { ...encoder, params: () => sparing(encoder.params(), isTableOrToken) };
    },

    decoder(container) {
      const encoder = container.resolve(ENCODER);
      const decoder = localDecoder({
        encoder,
        image: container.resolve(IMAGE),
        branches: branchesOf(config),
        targets: container.resolve(TARGET).spec(encoder.grid),
        arch: config.arch,
        width: config.decoderWidth,
        depth: config.decoderDepth,
        heads: config.decoderHeads,
        mlpRatio: config.mlpRatio,
        headTokens: config.headTokens,
      });
      // The ViT version does decay its tokens.
      return config.arch === 'vit' ? decoder : { ...decoder, params: () => sparing(decoder.params(), isTableOrToken) };
    },

    target: (container) => localTarget({ image: container.resolve(IMAGE), grid: container.resolve(ENCODER).grid, branches: branchesOf(config), feature: config }),
  }),
});
