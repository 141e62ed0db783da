import { CompositionError, definePlugin, ENCODER, examplePlan, IMAGE, SAMPLER, TARGET, type Decoder, type Encoder, type ImageSpec, type ParamSpecs, type Sampler } from '@mimlab/core';
import { CELLS, LATENT, PATCHES, pixelTarget, PIXELS, sparseSwinEncoder, sparseSwinStages, vitDecoder, type PatchSize } from '@mimlab/nn';
import { GreenMimConfig } from './config.js';
import { greenSampler } from './sampler.js';

const square = (side: number): PatchSize => ({ height: side, width: side });
const sizes = (config: GreenMimConfig, image: ImageSpec) => ({ ...config, image, patch: square(config.patchSize) });
/** One cell of the mask, and of the target: a token of the last stage. */
const unit = ({ patchSize, depths }: GreenMimConfig): PatchSize => square(patchSize * 2 ** (depths.length - 1));

/** The release decays neither tables of relative positions nor the mask token. */
const withoutDecay = (specs: ParamSpecs): ParamSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, /position_bias|token/.test(name) ? { ...spec, decay: false as const } : spec]));

/** @throws CompositionError if plans come without group tables, or one by one. */
function checkSampler(sampler: Sampler, encoder: Encoder, image: ImageSpec): void {
  sampler.counts(encoder.grid);
  if (sampler.scope === 'batch' && examplePlan({ sampler, grid: encoder.grid, image }).aux?.[CELLS] !== undefined) return;
  throw new CompositionError('the encoder of GreenMIM needs one mask for the whole batch and its group tables, which this sampler does not make', {
    place: 'hooks.sampler',
    remedy: 'Leave the sampler to GreenMIM, or take another encoder.',
  });
}

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
    sampler: (container) => greenSampler({ ...config, stages: sparseSwinStages(sizes(config, container.resolve(IMAGE))) }),

    encoder(container) {
      const image = container.resolve(IMAGE);
      const encoder = sparseSwinEncoder(sizes(config, image));
      checkSampler(container.resolve(SAMPLER), encoder, image);
      return { ...encoder, params: () => withoutDecay(encoder.params()) };
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
      return { ...decoder, params: () => withoutDecay(decoder.params()) };
    },

    target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch: unit(config), normPix: config.normPix }),
  }),
});
