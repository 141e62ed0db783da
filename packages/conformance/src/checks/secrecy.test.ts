import type { PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { complaint, expectComplaints, toy, type Break } from '../toy-method.test-support.js';

const HIDDEN = 'no hidden pixel reaches its features or its predictions';
const OTHERS = 'what it says of an image is the same whatever the other images of the batch are';

/** Adds a number that `leak` makes of the images to the feature. */
const leaking = (leak: (images_BHWC: tf.Tensor4D, plan: PlanTensors, training: boolean) => tf.Tensor): Break => ({
  encoder: (sound) => ({
    ...sound,
    encode: (images_BHWC, plan, params, context) => ({
      latent: tf.add(sound.encode(images_BHWC, plan, params, context)['latent'] as tf.Tensor, leak(images_BHWC, plan, context.training)),
    }),
  }),
});
/** Deviation of every patch, the mean over all patches of an image, to two places: [B, 1, 1]. A negative has the same. */
const contrast = (images_BHWC: tf.Tensor4D): tf.Tensor => {
  const patches = tf.reshape(tf.transpose(tf.reshape(images_BHWC, [-1, 4, 4, 4, 4]), [0, 1, 3, 2, 4]), [-1, 16, 16]);
  return tf.round(tf.mul(tf.expandDims(tf.mean(tf.sqrt(tf.moments(patches, 2).variance), 1, true), 2), 100));
};
const ownMean = (images_BHWC: tf.Tensor4D): tf.Tensor => tf.reshape(tf.mean(images_BHWC, [1, 2, 3]), [-1, 1, 1]);
const zero = (): tf.Tensor => tf.scalar(0);

/** The encoder tells the decoder of the images behind the features' back. */
const passedBy = (): Break => {
  let seen: tf.Tensor | undefined;
  return {
    encoder: (sound) => ({
      ...sound,
      encode: (images_BHWC, ...rest) => {
        seen = ownMean(images_BHWC);
        return sound.encode(images_BHWC, ...rest);
      },
    }),
    decoder: (sound) => ({
      ...sound,
      predict: (...given) => {
        const { cells, values } = sound.predict(...given);
        return { cells, values: { patches: tf.add(values['patches'] as tf.Tensor, seen as tf.Tensor) } };
      },
    }),
  };
};

expectComplaints({
  'sees the contrast of hidden patches': {
    broken: leaking(contrast),
    check: HIDDEN,
    says: /feature 'latent' changes by .* when only hidden pixels change/,
  },
  'sees hidden pixels only while it trains': {
    broken: leaking((images_BHWC, _plan, training) => (training ? ownMean(images_BHWC) : zero())),
    check: HIDDEN,
    says: /feature 'latent' changes by .* while training/,
  },
  'tells its decoder of hidden pixels': {
    broken: passedBy(),
    check: HIDDEN,
    says: /prediction 'pixels\.patches' changes/,
  },
  'normalises by the whole batch': {
    broken: leaking((images_BHWC) => tf.mean(images_BHWC)),
    check: OTHERS,
    says: /feature 'latent' of the first image changes by .* images are mixed up/,
  },
  'swaps the features of two images': {
    broken: { encoder: (sound) => ({ ...sound, encode: (...given) => ({ latent: tf.reverse(sound.encode(...given)['latent'] as tf.Tensor, 0) }) }) },
    check: OTHERS,
    says: /feature 'latent' of the first image/,
  },
  'swaps the targets of two images': {
    broken: {
      target: (sound) => ({ ...sound, targets: (...given) => ({ pixels: { patches: tf.reverse(sound.targets(...given)['pixels']?.['patches'] as tf.Tensor, 0) } }) }),
    },
    check: OTHERS,
    says: /target 'pixels\.patches' of the first image/,
  },
});

it('what an image’s own pixels say may reach its features as far as other images are concerned', async () => {
  expect(await complaint(toy(leaking(ownMean)), OTHERS)).toBeUndefined();
});

it('targets may follow hidden pixels: they are what is asked', async () => {
  expect(await complaint(toy(), HIDDEN)).toBeUndefined();
});
