import { definePlugin, ENCODER, IMAGE, TARGET } from '@mimlab/core';
import { patchSizeOf, randomMasking } from '@mimlab/nn';
import { TecConfig } from './config.js';
import { tecDecoder } from './decoder.js';
import { tecEncoder } from './encoder.js';
import { tecTarget } from './target.js';

/**
 * Target-enhanced conditional reconstruction: a masked student with adapters reconstructs features and attention of a
 * frozen teacher that sees the whole image. Parameter names, initialisation and arithmetic are those of the official
 * PyTorch release; the teacher's parameters stand under `teacher.`.
 */
export const tec = definePlugin<TecConfig>({
  name: 'tec',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2210.11016',
  configSchema: TecConfig,
  exampleConfig: { teacher: { checkpoint: null } },
  // The paper's costs count the embedding of every patch.
  paperCount: { embedPatches: 'all' },
  hooks: (config) => ({
    sampler: () => randomMasking({ maskRatio: config.maskRatio }),

    encoder: (container) => tecEncoder({ ...config, image: container.resolve(IMAGE), patch: patchSizeOf(config.patchSize) }),

    decoder: (container) => {
      const encoder = container.resolve(ENCODER);
      return tecDecoder({
        encoder,
        targets: container.resolve(TARGET).spec(encoder.grid),
        width: config.decoderWidth,
        depth: config.decoderDepth,
        heads: config.decoderHeads,
        mlpRatio: config.mlpRatio,
      });
    },

    target: (container) =>
      tecTarget({
        teacher: { ...config.teacher, image: container.resolve(IMAGE), patch: patchSizeOf(config.patchSize) },
        attention: config.targets === 'features-and-attention',
        topK: config.topK,
        temperature: config.temperature,
      }),
  }),
});
