import type { Encoder, ImageSpec, Initializer } from '@mimlab/core';
import { maskTokenVit, sparing, truncatedNormal, type PatchSize } from '@mimlab/nn';
import type { SimMimVitConfig } from './config.js';
import { PREFIX } from './features.js';

/** Normal of deviation 0.02 cut at one deviation, as the pre-training model draws everything that is no norm or bias. */
export const vitInit: Initializer = truncatedNormal(0.02, 1);

/** Last maps of the residual branches of block `number` (from 1) start smaller the deeper they lie. */
const dampened =
  (number: number): Initializer =>
  (shape, random) =>
    vitInit(shape, random).map((value) => value / Math.sqrt(2 * number));

/**
 * SimMIM's ViT: hidden tokens go through the encoder behind a mask token; positions are relative, or learned as AMT's
 * version of it has them. Source: official SimMIM, vision_transformer.py and simmim.py.
 * @throws ConfigError if patch or heads do not fit.
 */
export function simmimVitEncoder(config: SimMimVitConfig, image: ImageSpec, patch: PatchSize): Encoder {
  const { layerScale, layerScaleOn, exemptTables } = config;
  const encoder = maskTokenVit({
    ...config,
    image,
    patch,
    prefix: PREFIX,
    layerScale: layerScale === null ? null : { start: layerScale, on: layerScaleOn === 'both' ? ['attention', 'mlp'] : [layerScaleOn] },
    init: { weight: vitInit, last: dampened },
  });
  const spared = exemptTables === 'released' ? /(cls_token|pos_embed)$/ : /(token|pos_embed|position_bias_table)$/;
  return { ...encoder, params: () => sparing(encoder.params(), (name) => spared.test(name)) };
}
