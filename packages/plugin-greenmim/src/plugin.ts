import { definePlugin, ENCODER, IMAGE, SAMPLER, TARGET, type Decoder, type ImageSpec } from '@mimlab/core';
import {
  checkSparseSampler,
  isTableOrToken,
  LATENT,
  PATCHES,
  pixelTarget,
  PIXELS,
  randomMasking,
  sparing,
  sparseMasking,
  sparseSwinEncoder,
  sparseSwinStages,
  vitDecoder,
  type PatchSize,
} from '@mimlab/nn';
import { GreenMimConfig } from './config.js';

const square = (side: number): PatchSize => ({ height: side, width: side });
const sizes = (config: GreenMimConfig, image: ImageSpec) => ({ ...config, image, patch: square(config.patchSize), joining: config.mergeOrder });
/** One cell of the mask, and of the target: a token of the last stage. */
const unit = ({ patchSize, depths }: GreenMimConfig): PatchSize => square(patchSize * 2 ** (depths.length - 1));

/**
 * GreenMIM: a Swin transformer that works on visible patches alone, tokens of several windows sharing one sequence, and
 * a light decoder on the coarse grid. One mask serves a whole micro-batch. Parameter names, initialisation and
 * arithmetic are those of the released code; its mix-up of visible tokens is an option.
 */
export const greenmim = definePlugin<GreenMimConfig>({
  name: 'greenmim',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2205.13515',
  configSchema: GreenMimConfig,
  // The paper's costs count the embedding of every patch, and blocks on groups as large as the fullest window.
  paperCount: { embedPatches: 'all', grouping: 'released' },
  hooks: (config) => ({
    sampler: (container) =>
      sparseMasking({
        stages: sparseSwinStages(sizes(config, container.resolve(IMAGE))),
        grouping: config.grouping,
        masking: randomMasking(config),
        visibleOrder: config.visibleOrder === 'released' ? 'drawn' : 'raster',
      }),

    encoder(container) {
      const image = container.resolve(IMAGE);
      const encoder = sparseSwinEncoder(sizes(config, image));
      checkSparseSampler(container.resolve(SAMPLER), encoder, image);
      return { ...encoder, params: () => sparing(encoder.params(), isTableOrToken) };
    },

    decoder(container): Decoder {
      const encoder = container.resolve(ENCODER);
      const decoder = vitDecoder({
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
      return { ...decoder, params: () => sparing(decoder.params(), isTableOrToken) };
    },

    target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch: unit(config), normPix: config.normPix }),
  }),
});
