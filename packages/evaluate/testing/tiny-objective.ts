import { roleMask, type ObjectiveBatch, type Objective, type Params, type ParamSpec, type ParamSpecs, type Sampler, type TokenPlan, type SampleContext } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { PairedBatch } from '../src/deviation/paired-plans.js';

const scalar = (value: number): ParamSpec => ({ shape: [1], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(value) });

/** Pixels as they are. */
export const NEUTRAL = { mean: [0], std: [1 / 255] };

/**
 * A row of four pixels, one visible. Every hidden pixel is guessed to be w v s, with s the visible one, w a parameter of
 * the encoder and v one of the decoder; a progressive form guesses thrown pixels to be c instead. Loss: mean square over
 * the hidden pixels that are retained, under the progressive form over all.
 */
export function tinyObjective(form: 'full' | 'partial' | 'progressive', sampler: Partial<Sampler> = {}): Objective {
  const grid = { rows: 1, columns: 4 };
  const retained = form === 'full' ? 3 : 1;
  const encoder: ParamSpecs = { 'blocks.0.w': scalar(2) };
  const decoder: ParamSpecs = { 'decoder.v': scalar(0.5) };
  const own: ParamSpecs = form === 'progressive' ? { 'prmim.c': scalar(3) } : {};
  const objective = {
    image: { height: 1, width: 4, channels: 1 },
    grid,
    sampler: {
      scope: 'image',
      counts: () => ({ visible: 1, retained, thrown: 3 - retained }),
      sample({ streams }: SampleContext): TokenPlan {
        const [visible, ...masked] = streams.mask.permutation(4);
        const order = form === 'full' ? masked : [...streams.sample.permutation(3)].map((place) => masked[place] as number);
        return { grid, visible: Int32Array.of(visible as number), retained: Int32Array.from(order.slice(0, retained)), thrown: Int32Array.from(order.slice(retained).sort()) };
      },
      ...sampler,
    },
    encoder: { params: () => encoder },
    decoder: { params: () => ({ ...decoder, ...own }) },
    target: {},
    randomInputs: () => ({}),
    params: () => ({ ...encoder, ...decoder, ...own }),
    evaluate({ images_BHWC, plan }: ObjectiveBatch, params: Params) {
      const get = (name: string): tf.Tensor => params[name] as tf.Tensor;
      const pixels_BN = tf.reshape(images_BHWC, [plan.batch, 4]);
      const shown_B1 = tf.sum(tf.mul(pixels_BN, roleMask(plan, 'visible')), 1, true);
      const guess = tf.mul(tf.mul(get('blocks.0.w'), get('decoder.v')), shown_B1);
      const kept = tf.mul(tf.square(tf.sub(guess, pixels_BN)), roleMask(plan, 'retained'));
      const sum = form === 'progressive' ? tf.add(tf.sum(kept), tf.sum(tf.mul(tf.square(tf.sub(get('prmim.c'), pixels_BN)), roleMask(plan, 'thrown')))) : tf.sum(kept);
      const loss = tf.div(sum, plan.batch * (form === 'progressive' ? 3 : retained)) as tf.Scalar;
      return { loss, parts: {}, features: {}, predictions: {}, targets: {} };
    },
  };
  return objective as unknown as Objective;
}

/** Batches of two images. */
export async function* tinyBatches(count: number): AsyncGenerator<PairedBatch> {
  for (let index = 0; index < count; index++) yield tinyBatch(index);
}

export function tinyBatch(index: number): PairedBatch {
  const data = Uint8Array.from({ length: 8 }, (_, place) => 1 + ((index * 5 + place * place) % 7));
  const crop = { top: 0, left: 0, height: 1, width: 4, sourceHeight: 1, sourceWidth: 4, flip: false };
  return { images: { shape: [2, 1, 4, 1], dtype: 'uint8', data }, sampleIds: Int32Array.of(2 * index, 2 * index + 1), crops: [crop, crop], index };
}

/** By hand: the gradient of the tiny loss by w, at w = 2 and v = 0.5, where w v = 1. */
export function gradientByHand(form: 'full' | 'partial' | 'progressive', { images }: PairedBatch, plans: readonly TokenPlan[]): number {
  const terms = plans.flatMap(({ visible, retained }, image) => {
    const pixel = (cell: number): number => images.data[4 * image + cell] as number;
    const shown = pixel(visible[0] as number);
    return [...retained].map((cell) => 2 * (shown - pixel(cell)) * 0.5 * shown);
  });
  const scored = form === 'progressive' ? 3 * plans.length : terms.length;
  return terms.reduce((a, b) => a + b, 0) / scored;
}

