import { definePlugin, ENCODER, IMAGE, TARGET, type Decoder, type Encoder, type MethodPlugin, type Sampler, type Target } from '@mimlab/core';
import { pixelTarget, randomMasking, vitDecoder, vitEncoder } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { conformanceChecks } from './conformance-checks.js';
import { describePlugin } from './describe-plugin.js';
import { examine } from './options.js';

const ToyConfig = z.strictObject({ maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of hidden tokens.') });
type ToyConfig = z.infer<typeof ToyConfig>;

const patch = { height: 4, width: 4 };
const image = { height: 16, width: 16, channels: 1 };
const vit = { width: 8, depth: 1, heads: 1, mlpRatio: 2 };

/** A sound method out of parts, with a place to break each hook. */
interface Break {
  readonly schema?: z.ZodType<ToyConfig>;
  readonly sampler?: (sound: Sampler) => Sampler;
  readonly encoder?: (sound: Encoder) => Encoder;
  readonly decoder?: (sound: Decoder) => Decoder;
  readonly target?: (sound: Target) => Target;
}

const same = <T>(hook: T): T => hook;

const toy = ({ schema = ToyConfig, sampler = same, encoder = same, decoder = same, target = same }: Break = {}): MethodPlugin<ToyConfig> =>
  definePlugin<ToyConfig>({
    name: 'toy',
    version: '1.0.0',
    core: '^0.1.0',
    paper: 'none',
    configSchema: schema,
    hooks: ({ maskRatio }) => ({
      sampler: () => sampler(randomMasking({ maskRatio })),
      encoder: (container) => encoder(vitEncoder({ ...vit, image: container.resolve(IMAGE), patch, embedPatches: 'visible' })),
      decoder: (container) =>
        decoder(
          vitDecoder({
            ...vit,
            encoder: container.resolve(ENCODER),
            feature: container.resolve(ENCODER).output,
            branch: 'pixels',
            values: 'patches',
            targets: container.resolve(TARGET).spec(container.resolve(ENCODER).grid),
          }),
        ),
      target: (container) => target(pixelTarget({ image: container.resolve(IMAGE), patch, normPix: false })),
    }),
  });

/** Messages of the checks that a plugin fails, by the name of the check. */
async function failures(plugin: MethodPlugin<ToyConfig>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const examined = examine(plugin, { image });
  for (const check of conformanceChecks) {
    if (check.name.includes('compiled graph')) continue;
    try {
      await check.run(examined);
    } catch (error) {
      found[check.name] = (error as Error).message;
    }
  }
  return found;
}

describePlugin(toy(), { image });

describe('a plugin that breaks a rule', () => {
  const cases: Readonly<Record<string, { readonly broken: Break; readonly check: string; readonly says: RegExp }>> = {
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
      expect((await failures(toy(broken)))[check]).toMatch(says);
    });
  }

  it('throws when a table of hooks has no hook of that name, before any check runs', async () => {
    const plugin = definePlugin({ ...toy(), hooks: () => ({ decodr: () => undefined }) as object });
    expect(Object.values(await failures(plugin)).join('\n')).toMatch(/unknown hook 'decodr'/);
  });
});
