import type * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { context, paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { tappedVitEncoder, tapName, vitEncoder, type VitEncoderOptions } from './encoder.js';

const options: VitEncoderOptions = { image: { height: 4, width: 4, channels: 1 }, patch: { height: 2, width: 2 }, width: 8, depth: 3, heads: 2, mlpRatio: 2, embedPatches: 'visible' };
const images = () => scattered([1, 4, 4, 1]) as tf.Tensor4D;
const plan = () => tensorsOf([planOf({ rows: 2, columns: 2 }, [2, 0, 1, 3], 2, 2)]);

onEveryBackend('an encoder read in several places', () => {
  const tapped = tappedVitEncoder(options, [1, 3]);

  it('names the last one as the plain encoder does, and has a norm for each', () => {
    expect([0, 1, 2].map((place) => tapName(place, 3))).toEqual(['tap0', 'tap1', 'latent']);
    expect([Object.keys(tapped.features), tapped.output]).toEqual([['tap0', 'latent'], 'latent']);
    expect(Object.keys(tapped.params()).filter((name) => name.startsWith('norm'))).toEqual(['norm.0.weight', 'norm.0.bias', 'norm.1.weight', 'norm.1.bias']);
  });

  it('gives at each what a plain encoder of so many blocks gives', () => {
    const params = paramsOf(tapped.params());
    const read = tapped.encode(images(), plan(), params, context);
    [1, 3].forEach((depth, place) => {
      const plain = vitEncoder({ ...options, depth });
      const own = { ...params, 'norm.weight': params[`norm.${place}.weight`]!, 'norm.bias': params[`norm.${place}.bias`]! };
      const expected = plain.encode(images(), plan(), own, context)['latent'] as tf.Tensor;
      expectValues(read[tapName(place, 2)] as tf.Tensor, expected.dataSync(), 5);
    });
  });

  it('costs as much as the plain one', () => {
    const counts = { visible: 2, retained: 2, thrown: 0 };
    expect(tapped.macs(counts)).toEqual(vitEncoder(options).macs(counts));
  });
});
