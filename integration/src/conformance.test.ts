import { conformanceChecks, describePlugin, examine } from '@mimlab/conformance';
import { definePlugin, type MethodPlugin } from '@mimlab/core';
import mae, { type MaeConfig } from '@mimlab/plugin-mae';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const image = { height: 16, width: 16, channels: 1 };
const config = { patchSize: 4, width: 8, depth: 1, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };

/** Names of the checks that a plugin fails. The compiled graph is left to the sound plugin's own suite. */
async function failed(plugin: MethodPlugin<MaeConfig>): Promise<string[]> {
  const names: string[] = [];
  for (const check of conformanceChecks) {
    if (check.skip !== undefined) continue;
    try {
      await check.run(examine(plugin, { image, config }));
    } catch {
      names.push(check.name);
    }
  }
  return names;
}

/** MAE with some of its hooks changed, as a plugin of its own. */
const changed = (hooks: (config: MaeConfig) => ReturnType<MethodPlugin<MaeConfig>['hooks']>): MethodPlugin<MaeConfig> =>
  definePlugin({ ...mae, name: 'changed', hooks: (settings: MaeConfig) => ({ ...mae.hooks(settings), ...hooks(settings) }) });

describe('the conformance suite', () => {
  it('finds nothing wrong with MAE', async () => {
    expect(await failed(mae)).toEqual([]);
  });

  it('fails a plugin whose encoder looks at hidden pixels', async () => {
    const peeking = changed((settings) => ({
      encoder: (container) => {
        const encoder = mae.hooks(settings).encoder?.(container);
        if (encoder === undefined) throw new Error('MAE has an encoder');
        return {
          ...encoder,
          encode: (images_BHWC, ...rest) => {
            const features = encoder.encode(images_BHWC, ...rest);
            return { ...features, [encoder.output]: tf.add(features[encoder.output] as tf.Tensor, tf.reshape(tf.mean(images_BHWC, [1, 2, 3]), [-1, 1, 1])) };
          },
        };
      },
    }));
    expect(await failed(peeking)).toEqual(['no hidden pixel reaches its features or its predictions']);
  });

  it('fails a plugin that is said to refuse throwing and bears it', async () => {
    const check = conformanceChecks.find(({ name }) => name.includes('its plans throw what is asked'));
    await expect(async () => check?.run(examine(mae, { image, config, refusesThrowing: true }))).rejects.toThrow('progressive reconstruction is put together');
  });

  it('fails a plugin that throws tokens by itself', async () => {
    const throwing = changed((settings) => ({
      sampler: (container) => {
        const sampler = mae.hooks(settings).sampler?.(container);
        if (sampler === undefined) throw new Error('MAE has a sampler');
        return {
          ...sampler,
          counts: (grid) => ({ ...sampler.counts(grid), retained: sampler.counts(grid).retained - 1, thrown: 1 }),
          sample: (context) => {
            const plan = sampler.sample(context);
            return { ...plan, retained: plan.retained.subarray(1), thrown: plan.retained.subarray(0, 1) };
          },
        };
      },
    }));
    expect(await failed(throwing)).toContain('it throws no token by itself and hides some');
  });

  it('fails a plugin that shuts its decoder off from the gradient', async () => {
    const frozen = changed((settings) => ({
      decoder: (container) => {
        const decoder = mae.hooks(settings).decoder?.(container);
        if (decoder === undefined) throw new Error('MAE has a decoder');
        return { ...decoder, predict: (branch, set, plan, params, context) => {
          const prediction = decoder.predict(branch, set, plan, params, context);
          return { ...prediction, values: Object.fromEntries(Object.entries(prediction.values).map(([name, values]) => [name, tf.zerosLike(values)])) };
        } };
      },
    }));
    expect(await failed(frozen)).toContain('a gradient reaches every trainable parameter');
  });
});

// What a plugin author writes, whole.
describePlugin(mae, { image, config });
