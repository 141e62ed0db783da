import { definePlugin, randomStream, type ParamSpec, type TokenPlan } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describePlugin } from './describe-plugin.js';
import { complaint, image, toy, type Break, type ToyConfig } from './toy-method.test-support.js';

describePlugin(toy(), { image });

describe('a plugin that breaks a rule', () => {
  let drifts = 0;
  /** One more parameter of two values that nothing uses. */
  const withParam =
    (name: string, spec: Pick<ParamSpec, 'trainable' | 'init'>): NonNullable<Break['encoder']> =>
    (sound) => ({ ...sound, params: () => ({ ...sound.params(), [name]: { shape: [2], layout: { kind: 'same' }, ...spec } }) });
  /** The first hidden cell stands in the place of the second as well. */
  const twice = (plan: TokenPlan): TokenPlan => ({ ...plan, retained: plan.retained.map((cell, place) => (place === 1 ? (plan.retained[0] as number) : cell)) });
  /** A loss with the gradient of its negative: training drives it up. */
  const ascending = (loss: tf.Scalar): tf.Scalar =>
    tf.customGrad((x) => ({ value: tf.clone(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => [tf.neg(dy)] }))(loss) as tf.Scalar;

  const cases: Readonly<Record<string, { readonly broken: Break; readonly check: string; readonly says: RegExp }>> = {
    'has a key without a value': {
      broken: { schema: z.strictObject({ maskRatio: z.number().default(0.75), forgotten: z.number().optional() }) as unknown as z.ZodType<ToyConfig> },
      check: 'its configuration has a value for every key it declares',
      says: /no default and no value for forgotten/,
    },
    'changes its configuration when it is read again': {
      broken: { schema: z.strictObject({ maskRatio: z.number().default(0.5).transform((ratio) => ratio / 2) }) },
      check: 'its configuration survives being stored and read back',
      says: /stored as .*0\.25.*read back as .*0\.125/,
    },
    'starts a parameter at infinity': {
      broken: { encoder: withParam('wild', { trainable: false, init: () => Float32Array.of(1, Infinity) }) },
      check: 'its parameters start finite, with as many values as their shapes say',
      says: /wild: its initial value is not finite/,
    },
    'draws initial values from a source of its own': {
      broken: { encoder: withParam('drifting', { trainable: false, init: () => Float32Array.of(drifts++, 0) }) },
      check: 'its parameters start the same for one seed and differ between seeds',
      says: /drifting: two inits from one seed differ/,
    },
    'promises other counts than its plans have': {
      broken: { sampler: (sound) => ({ ...sound, counts: (grid) => ({ ...sound.counts(grid), visible: 3, retained: 13 }) }) },
      check: 'its plans list every cell once and keep to the counts it promises',
      says: /counts\(\) promises .*"visible":3/,
    },
    'lists a cell twice': {
      broken: { sampler: (sound) => ({ ...sound, sample: (context) => twice(sound.sample(context)) }) },
      check: 'its plans list every cell once and keep to the counts it promises',
      says: /cell|twice|once/,
    },
    'throws tokens by itself': {
      broken: { sampler: (sound) => ({ ...sound, counts: (grid) => ({ ...sound.counts(grid), retained: 10, thrown: 2 }) }) },
      check: 'it throws no token by itself and hides some',
      says: /2 tokens are thrown: only wrappers throw/,
    },
    'gives every sample the same mask': {
      broken: { sampler: (sound) => ({ ...sound, sample: (context) => sound.sample({ ...context, streams: { ...context.streams, mask: randomStream('same') } }) }) },
      check: 'its masks differ from sample to sample and follow the mask stream alone',
      says: /get one and the same plan/,
    },
    'declares a feature that it does not return': {
      broken: { encoder: (sound) => ({ ...sound, features: { ...sound.features, ghost: { width: 8, cells: 'visible', cls: true } } }) },
      check: 'its encoder returns the features it declares',
      says: /declared are \[ghost, latent\], returned \[latent\]/,
    },
    'declares a class token that its decoder drops': {
      broken: {
        decoder: (sound) => ({
          ...sound,
          decode: (...given) => Object.fromEntries(Object.entries(sound.decode(...given)).map(([name, { tokens_BSd, cells }]) => [name, { tokens_BSd, cells }])),
        }),
      },
      check: 'its decoder returns the branches it declares, and predicts for the cells it was given',
      says: /declares a class token and returns none/,
    },
    'declares tokens of another width': {
      broken: { decoder: (sound) => ({ ...sound, branches: sound.branches.map((branch) => ({ ...branch, width: 5 })) }) },
      check: 'its decoder returns the branches it declares, and predicts for the cells it was given',
      says: /tokens have shape \[2, 16, 8\], declared is \[2, 16, 5\]/,
    },
    'forgets a branch': {
      broken: { decoder: (sound) => ({ ...sound, decode: () => ({}) }) },
      check: 'its decoder returns the branches it declares, and predicts for the cells it was given',
      says: /branch 'pixels' is declared, decode returns \[\]/,
    },
    'moves away from what it should learn': {
      broken: { target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: ascending(sound.loss(...given).loss) }) }) },
      check: 'a few updates on one batch lower its loss',
      says: /after 30 updates at 0\.005 the loss went from/,
    },
    'has a gradient that is not a number': {
      broken: { target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: tf.mul(sound.loss(...given).loss, NaN) }) }) },
      check: 'a gradient reaches every trainable parameter',
      says: /the loss is NaN/,
    },
    'leaves out the cost of its head': {
      broken: { decoder: (sound) => ({ ...sound, predictMacs: () => ({}) }) },
      check: 'its closed cost formulas equal the recorded graph, part by part',
      says: /head: 0 by formula/,
    },
    'explains nothing': {
      broken: { schema: z.strictObject({ maskRatio: z.number().default(0.75) }) },
      check: 'it explains every key to editors',
      says: /maskRatio/,
    },
    'draws masks from the stream of wrappers': {
      broken: { sampler: (sound) => ({ ...sound, sample: (context) => sound.sample({ ...context, streams: { mask: context.streams.sample, sample: context.streams.mask } }) }) },
      check: 'its masks differ from sample to sample and follow the mask stream alone',
      says: /draw masks from 'mask'/,
    },
    'remembers earlier samples': {
      broken: {
        sampler: (sound) => {
          let calls = 0;
          return { ...sound, sample: (context) => sound.sample({ ...context, streams: { ...context.streams, mask: context.streams.mask.fork(calls++) } }) };
        },
      },
      check: 'its plans depend on nothing but the context',
      says: /keep no state/,
    },
    'shows the encoder hidden pixels': {
      broken: {
        encoder: (sound) => ({
          ...sound,
          encode: (images_BHWC, ...rest) => {
            const features = sound.encode(images_BHWC, ...rest);
            return { ...features, [sound.output]: tf.add(features[sound.output] as tf.Tensor, tf.mean(images_BHWC)) };
          },
        }),
      },
      check: 'no hidden pixel reaches its features or its predictions',
      says: /feature 'latent' changes/,
    },
    'has a parameter that nothing uses': {
      broken: {
        encoder: (sound) => ({
          ...sound,
          params: () => ({ ...sound.params(), unused: { shape: [2], trainable: true, init: () => Float32Array.of(1, 2), layout: { kind: 'same' } } }),
        }),
      },
      check: 'a gradient reaches every trainable parameter',
      says: /no gradient reaches unused/,
    },
    'starts a parameter with too few values': {
      broken: {
        encoder: (sound) => ({
          ...sound,
          params: () => ({ ...sound.params(), short: { shape: [2], trainable: false, init: () => Float32Array.of(1), layout: { kind: 'same' } } }),
        }),
      },
      check: 'its parameters start finite, with as many values as their shapes say',
      says: /short: shape \[2\] has 2 values, init gave 1/,
    },
    'declares another width than it returns': {
      broken: { encoder: (sound) => ({ ...sound, features: { ...sound.features, [sound.output]: { width: 9, cells: 'visible', cls: true } } }) },
      check: 'its encoder returns the features it declares',
      says: /declared is \[2, 5, 9\]/,
    },
    'miscounts its cost': {
      broken: { decoder: (sound) => ({ ...sound, decodeMacs: (counts) => ({ ...sound.decodeMacs(counts), decoder: 1 }) }) },
      check: 'its closed cost formulas equal the recorded graph, part by part',
      says: /decoder: 1 by formula/,
    },
    'keeps tensors': {
      broken: {
        encoder: (sound) => ({
          ...sound,
          encode: (...given) => {
            tf.keep(tf.scalar(1));
            return sound.encode(...given);
          },
        }),
      },
      check: 'it leaves no tensor behind',
      says: /three steps leave \d+ tensors/,
    },
    'lets the plan decide its targets': {
      broken: {
        target: (sound) => ({
          ...sound,
          targets: (images_BHWC, plan, ...rest) => {
            const targets = sound.targets(images_BHWC, plan, ...rest);
            const roles = tf.cast(tf.expandDims(plan.roles_BN, -1), 'float32');
            return { pixels: { patches: tf.mul(targets['pixels']?.['patches'] as tf.Tensor, roles) } };
          },
        }),
      },
      check: 'its targets stay the same whatever is hidden',
      says: /depends on the plan/,
    },
    'divides by zero': {
      broken: { target: (sound) => ({ ...sound, loss: (...given) => ({ ...sound.loss(...given), loss: tf.div(sound.loss(...given).loss, 0) }) }) },
      check: 'its loss and the parts of its loss are finite numbers',
      says: /loss is Infinity/,
    },
  };

  for (const [what, { broken, check, says }] of Object.entries(cases)) {
    it(`is told that it ${what}`, async () => {
      expect(await complaint(toy(broken), check)).toMatch(says);
    });
  }

  it('is told of a hook that there is no such thing as', async () => {
    const plugin = definePlugin({ ...toy(), hooks: () => ({ decodr: () => undefined }) as object });
    expect(await complaint(plugin, 'its plans depend on nothing but the context')).toMatch(/unknown hook 'decodr'/);
  });
});
