import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { examine } from '../options.js';
import { objectiveOf } from '../subject.js';
import { complaint, expectComplaints, image, toy, type Break } from '../toy-method.test-support.js';
import { differentiate, ensureGradients } from './gradients.js';

const REACHES = 'a gradient reaches every trainable parameter';
const COST = 'its closed cost formulas equal the recorded graph, part by part';
const WRAPPED_COST = 'wrapped by pr-mim, its cost formulas still equal the recorded graph';

/** Changes the loss in the target. */
const losing = (change: (loss: tf.Scalar) => tf.Scalar): Break => ({
  target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: change(sound.loss(...given).loss) }) }),
});
/** The value as it is, with a gradient that does not exist. */
const torn = (loss: tf.Scalar): tf.Scalar => tf.customGrad((x) => ({ value: tf.clone(x as tf.Tensor), gradFunc: () => [tf.scalar(NaN)] }))(loss) as tf.Scalar;

expectComplaints({
  'has a gradient that is not finite where the loss is': {
    broken: losing(torn),
    check: REACHES,
    says: /the gradient is not finite for .*cls_token/,
  },
  'has a loss that nothing can change': {
    broken: losing(() => tf.scalar(1)),
    check: REACHES,
    says: /no gradient reaches .*mask_token.*: unused, cut off, or to be declared trainable: false/,
  },
  'counts its decoder as if nothing could be thrown': {
    broken: {
      decoder: (sound) => ({ ...sound, decodeMacs: ({ visible, retained, thrown }) => sound.decodeMacs({ visible, retained: retained + thrown, thrown: 0 }) }),
    },
    check: WRAPPED_COST,
    says: /decoder: \d+ by formula, \d+ in the graph/,
  },
  'counts a part that it does not have': {
    broken: { target: (sound) => ({ ...sound, macs: () => ({ teacher: 7 }) }) },
    check: COST,
    says: /teacher: 7 by formula, 0 in the graph/,
  },
});

it('a formula that ignores throwing is right as long as nothing is thrown', async () => {
  const plugin = toy({ decoder: (sound) => ({ ...sound, decodeMacs: ({ visible, retained, thrown }) => sound.decodeMacs({ visible, retained: retained + thrown, thrown: 0 }) }) });
  expect(await complaint(plugin, COST)).toBeUndefined();
  expect(await complaint(plugin, WRAPPED_COST, { refusesThrowing: true })).toBeUndefined();
});

it('a parameter that the author knows to be without a gradient is passed over', async () => {
  const idle: Break = {
    encoder: (sound) => ({ ...sound, params: () => ({ ...sound.params(), idle: { shape: [1], trainable: true, init: () => Float32Array.of(1), layout: { kind: 'same' } } }) }),
  };
  expect(await complaint(toy(idle), REACHES)).toMatch(/no gradient reaches idle:/);
  expect(await complaint(toy(idle), REACHES, { withoutGradient: (name) => name === 'idle' })).toBeUndefined();
});

it('a loss that is not finite is named before any gradient', () => {
  const examined = examine(toy(), { image });
  expect(() => {
    ensureGradients(examined, { loss: Infinity, gradients: { dead: Float32Array.of(0) } });
  }).toThrow('the loss is Infinity');
});

it('gradients are those of the loss: a small step against them lowers it by their square', async () => {
  const examined = examine(toy(), { image });
  const { loss, gradients } = await differentiate(examined, objectiveOf(examined));
  const step = 1e-3;
  // The toy again, started a small step down the slope.
  const moved = examine(
    toy({
      decoder: (sound) => ({
        ...sound,
        params: () =>
          Object.fromEntries(
            Object.entries(sound.params()).map(([name, spec]) => [
              name,
              { ...spec, init: (...given) => spec.init(...given).map((value, i) => value - step * (gradients[name]?.[i] ?? 0)) },
            ]),
          ),
      }),
    }),
    { image },
  );
  const lowered = loss - (await differentiate(moved, objectiveOf(moved))).loss;
  const owners = Object.keys(objectiveOf(examined).decoder.params());
  const expected = step * owners.flatMap((name) => [...(gradients[name] ?? [])]).reduce((sum, value) => sum + value * value, 0);
  expect(lowered / expected).toBeGreaterThan(0.9);
  expect(lowered / expected).toBeLessThan(1.1);
});
