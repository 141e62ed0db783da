import { findTensorflow } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { conformanceChecks } from '../conformance-checks.js';
import { complaint, toy, type Break } from '../toy-method.test-support.js';

const COMPILED = 'the compiled graph gives what eager execution gives';
const LOWER = 'a few updates on one batch lower its loss';

const eager = (): boolean => tf.getBackend() === 'cpu';
/** Changes the loss of one engine only. */
const compiledOnly = (change: (loss: tf.Scalar) => tf.Scalar): Break => ({
  target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: eager() ? sound.loss(...given).loss : change(sound.loss(...given).loss) }) }),
});
/** `x` itself, whose gradient is `factor` times what it should be. */
const slanted = (x: tf.Tensor, factor: number): tf.Tensor =>
  tf.customGrad((given) => ({ value: tf.clone(given as tf.Tensor), gradFunc: (dy: tf.Tensor) => [tf.mul(dy, factor)] }))(x);

describe.skipIf(findTensorflow() === undefined)('a plugin that computes something else when it is compiled', () => {
  it('is told so by its losses', async () => {
    expect(await complaint(toy(compiledOnly((loss) => tf.mul(loss, 1.01))), COMPILED)).toMatch(/^losses .* eagerly, .* compiled/);
  });

  it('is told so by its gradients, where Adam hides their size', async () => {
    expect(await complaint(toy(compiledOnly((loss) => slanted(loss, 2) as tf.Scalar)), COMPILED)).toMatch(/^gradient norms .* eagerly, .* compiled/);
  });

  it('is told so by its weights, where neither loss nor norm shows it', async () => {
    // It has no part in the loss, and a gradient of another sign in the graph.
    const aside: Break = {
      encoder: (sound) => ({
        ...sound,
        params: () => ({ ...sound.params(), 'aside.weight': { shape: [1, 1], trainable: true, init: () => Float32Array.of(1), layout: { kind: 'same' } } }),
        encode: (images_BHWC, plan, params, context) => {
          const weight = params['aside.weight'] as tf.Tensor;
          const nothing = tf.sub(slanted(weight, eager() ? 2 : 0), weight);
          return { latent: tf.add(sound.encode(images_BHWC, plan, params, context)['latent'] as tf.Tensor, tf.mul(nothing, tf.range(0, 8))) };
        },
      }),
    };
    expect(await complaint(toy(aside), COMPILED)).toMatch(/^aside\.weight differs by .* after 3 updates/);
  });
});

describe('the checks that train', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('notice a loss that stays where it is', async () => {
    const constant = toy({ target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: tf.add(tf.mul(sound.loss(...given).loss, 0), 1) as tf.Scalar }) }) });
    expect(await complaint(constant, LOWER, { training: { updates: 2, lr: 0.1 } })).toBe('after 2 updates at 0.1 the loss went from 1.000 to 1.000');
  });

  it('train for as long and as fast as the author asks', async () => {
    expect(await complaint(toy(), LOWER, { training: { updates: 3, lr: 1e-4 } })).toBeUndefined();
    expect(await complaint(toy(), LOWER, { training: { updates: 3, lr: 50 } })).toMatch(/^after 3 updates at 50 the loss went from/);
  });

  const nowhere = { MIMLAB_CACHE: '/nonexistent/mimlab', MIMLAB_TENSORFLOW: '' };
  it.skipIf(findTensorflow({ environment: nowhere }) !== undefined)('leave the compiled graph out where there is no libtensorflow, and say so', async () => {
    for (const [name, value] of Object.entries(nowhere)) vi.stubEnv(name, value);
    const check = conformanceChecks.find(({ name }) => name === COMPILED);
    expect(await check?.skip?.()).toBe('libtensorflow is not installed: the graph engine cannot be compared');
  });
});
