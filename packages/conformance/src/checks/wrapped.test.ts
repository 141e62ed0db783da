import { CompositionError, ConfigError, randomStream, type Branch, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { complaint, expectComplaints, toy, type Break } from '../toy-method.test-support.js';

const SAME = 'wrapped by pr-mim without throwing, its loss and gradients stay the same';
const PLANS = 'wrapped by pr-mim, its plans throw what is asked and leave its masks alone';
const RANDOM = 'wrapped by pr-mim with random sampling, its plans keep their counts, and stay as they are when nothing is thrown';
const RESIDUAL = 'wrapped by pr-mim with the residual merge, a gradient still reaches every parameter';
const FILL = 'wrapped by pr-mim with mask tokens in thrown places, a gradient still reaches every parameter';

/** The hooks of the second run that is put together differ from those of the first. */
const runs = (): (() => boolean) => {
  let made = 0;
  return () => made++ > 0;
};
function changingLoss(change: (loss: tf.Scalar) => tf.Scalar): Break {
  const again = runs();
  return {
    target: (sound) => {
      const changed = again();
      return { ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: changed ? change(sound.loss(...given).loss) : sound.loss(...given).loss }) };
    },
  };
}
/** `x` itself, whose gradient is twice what it should be. */
const steep = (x: tf.Scalar): tf.Scalar =>
  tf.customGrad((given) => ({ value: tf.clone(given as tf.Tensor), gradFunc: (dy: tf.Tensor) => [tf.mul(dy, 2)] }))(x) as tf.Scalar;
const throws = (plan: PlanTensors): boolean => plan.counts.thrown > 0;
/** Something happens in the decoder when tokens are thrown. */
const decoding = (happens: (plan: PlanTensors) => void): Break => ({
  decoder: (sound) => ({
    ...sound,
    decode: (features, plan, params, context) => {
      happens(plan);
      return sound.decode(features, plan, params, context);
    },
  }),
});
/** Masks of a run hang on how many runs there were. */
const otherMasks = (): Break => {
  let made = 0;
  return {
    sampler: (sound) => {
      const run = made++;
      return { ...sound, sample: (context) => sound.sample({ ...context, streams: { ...context.streams, mask: randomStream('run', run, context.sampleId) } }) };
    },
  };
};
/** Whoever asks the branch for a field gets an error. */
const refusing = (error: Error, field: keyof Branch = 'maskToken'): Break => ({
  decoder: (sound) => ({
    ...sound,
    branches: sound.branches.map((branch) =>
      Object.defineProperty({ ...branch }, field, {
        get: () => {
          throw error;
        },
      }),
    ),
  }),
});

expectComplaints({
  'has another loss when it is wrapped': {
    broken: changingLoss((loss) => tf.mul(loss, 1.001)),
    check: SAME,
    says: /the loss is .* alone and .* when pr-mim throws nothing/,
  },
  'has other gradients when it is wrapped': {
    broken: changingLoss(steep),
    check: SAME,
    says: /the gradient of .* changes by .* when pr-mim throws nothing/,
  },
  'has no loss at all when it is wrapped': {
    broken: changingLoss((loss) => tf.mul(loss, NaN)),
    check: SAME,
    says: /and NaN when pr-mim throws nothing/,
  },
  'loses a parameter when it is wrapped': {
    broken: (() => {
      const again = runs();
      return {
        encoder: (sound) => {
          const lost = again();
          return { ...sound, params: () => ({ ...sound.params(), ...(lost ? {} : { spare: { shape: [1], trainable: true, init: () => Float32Array.of(1), layout: { kind: 'same' as const } } }) }) };
        },
      } satisfies Break;
    })(),
    check: SAME,
    says: /spare is no parameter of the wrapped run/,
  },
  'shows other tokens when it is wrapped': {
    broken: otherMasks(),
    check: PLANS,
    says: /sample 0 shows other tokens when wrapped/,
  },
  'makes other plans when it is wrapped and nothing is thrown': {
    broken: otherMasks(),
    check: RANDOM,
    says: /sample 0 gets another plan when nothing is thrown/,
  },
  'has too small a grid for the throwing ratio': {
    broken: {},
    check: PLANS,
    options: { throw: 0.01 },
    says: /a throwing ratio of 0\.01 throws no token of this grid: give a larger image or option 'throw'/,
  },
  'is said to refuse throwing and bears it': {
    broken: {},
    check: PLANS,
    options: { refusesThrowing: true },
    says: /it is said to refuse throwing, and progressive reconstruction is put together/,
  },
  'fails where it is said to refuse': {
    broken: refusing(new TypeError('no such thing'), 'cells'),
    check: PLANS,
    options: { refusesThrowing: true },
    says: /it is said to refuse throwing, and progressive reconstruction fails with TypeError: no such thing/,
  },
  'refuses throwing without saying what to do': {
    broken: refusing(new CompositionError('no thrown tokens', { place: 'toy' }), 'cells'),
    check: PLANS,
    options: { refusesThrowing: true },
    says: /the refusal .*no thrown tokens.* does not say what to do/s,
  },
  'leaves a parameter without a gradient as soon as tokens are thrown': {
    broken: {
      encoder: (sound) => ({
        ...sound,
        encode: (images_BHWC, plan, params, context) =>
          sound.encode(images_BHWC, plan, throws(plan) ? { ...params, cls_token: tf.zerosLike(params['cls_token'] as tf.Tensor) } : params, context),
      }),
    },
    check: RANDOM,
    says: /no gradient reaches cls_token/,
  },
  'refuses thrown tokens only when it runs': {
    broken: decoding((plan) => {
      if (throws(plan)) throw new ConfigError('no thrown tokens, please', { place: 'toy', remedy: 'Set throw: 0.' });
    }),
    check: RESIDUAL,
    says: /no thrown tokens, please/,
  },
  'refuses an option without saying what to do': {
    broken: refusing(new CompositionError('no mask token', { place: 'toy' })),
    check: FILL,
    says: /the refusal .*no mask token.* does not say what to do/s,
  },
  'fails in place of refusing an option': {
    broken: refusing(new TypeError('no such thing')),
    check: FILL,
    says: /^no such thing$/,
  },
});

describe('an option that a plugin cannot bear', () => {
  it('may be refused when the run is put together, with a remedy', async () => {
    expect(await complaint(toy(refusing(new CompositionError('no mask token', { place: 'toy', remedy: 'Set fill: zero.' }))), FILL)).toBeUndefined();
  });

  it('is left to pr-mim to refuse where the branch does not offer what it takes', async () => {
    const plain = toy({
      decoder: (sound) => ({ ...sound, branches: sound.branches.map(({ maskToken: _token, positions_Nd: _positions, ...branch }) => branch) }),
    });
    expect(await complaint(plain, FILL)).toBeUndefined();
  });
});

it('a plugin whose branches cover the whole grid refuses throwing, as it is said to', async () => {
  const whole = toy({ decoder: (sound) => ({ ...sound, branches: sound.branches.map((branch) => ({ ...branch, cells: 'grid' })) }) });
  expect(await complaint(whole, PLANS, { refusesThrowing: true })).toBeUndefined();
});
