import { cellsOf, type Encoder, type ParamSpecs } from '@mimlab/core';
import {
  checkHeads,
  embedVisible,
  layerNorm,
  mlpWidth,
  normParams,
  patchEmbedMacs,
  patchGrid,
  patchValues,
  vitBlock,
  vitBlockMacs,
  vitClassAttention,
  vitEncoderParams,
  LATENT,
  type VitEncoderOptions,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import { featureOf } from './branches.js';

export interface TappedOptions extends VitEncoderOptions {
  /** After how many blocks each decoder reads the tokens, ascending; the last one after all of them. */
  readonly taps: readonly number[];
}

/**
 * MAE's encoder, read in several places: the class token and visible tokens behind each tapped block, through a norm of
 * their own. The stream itself goes on without any norm. Source: official LocalMIM, models_mim.py, forward_encoder.
 */
export function tappedVitEncoder(options: TappedOptions): Encoder {
  const { image, patch, width, depth, heads, mlpRatio, taps } = options;
  const grid = patchGrid(image, patch);
  checkHeads(width, heads);
  const names = taps.map((_, place) => featureOf(place, taps.length));

  const params = (): ParamSpecs => {
    const plain = Object.entries(vitEncoderParams(options, grid)).filter(([name]) => !name.startsWith('norm.'));
    return Object.assign(Object.fromEntries(plain), ...taps.map((_, place) => normParams(`norm.${place}`, width))) as ParamSpecs;
  };

  return {
    grid,
    features: Object.fromEntries(names.map((name) => [name, { width, cells: 'visible', cls: true }])),
    output: LATENT,
    params,
    encode(images_BHWC, plan, values) {
      const sequence = embedVisible(images_BHWC, plan, values, options);
      const [batch, tokens] = sequence.shape;
      const shape = { batch, tokens, heads };
      let rows = tf.reshape(sequence, [batch * tokens, width]) as tf.Tensor2D;
      const features: Record<string, tf.Tensor> = {};
      for (let block = 0; block < depth; block++) {
        rows = vitBlock(rows, values, `blocks.${block}`, shape);
        const place = taps.indexOf(block + 1);
        if (place >= 0) features[names[place] as string] = tf.reshape(layerNorm(rows, values, `norm.${place}`), [batch, tokens, width]);
      }
      return features;
    },
    classAttention: (images_BHWC, plan, values) => vitClassAttention(embedVisible(images_BHWC, plan, values, options), values, options),
    macs: ({ visible }) => ({
      patch: patchEmbedMacs(options.embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible, width, mlpWidth(width, mlpRatio) / width),
    }),
  };
}
