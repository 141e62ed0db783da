import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TrainingError, type Encoder } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { evaluateTiny, temporaryFolder, tinyEncoder, writePatterns, type TinyRun } from '../../testing/tiny-evaluation.js';
import { findProtocol } from '../protocol/registry.js';

const root = temporaryFolder();
const data = writePatterns(join(root, 'data'), 8, 4);
let count = 0;
const fresh = (): string => join(root, `evaluation-${count++}`);
const run = async (name: string, settings: Record<string, unknown>, more: Partial<TinyRun> = {}) => evaluateTiny({ protocol: await findProtocol(name), settings, data, output: fresh(), ...more });
const LINEAR = { batch: 4, epochs: 1, warmupEpochs: 0, lr: 0.1, augment: { kind: 'none' }, encodeBatch: 4 };

/** The same encoder without its class token in front. */
function withoutClassToken(): Encoder {
  const encoder = tinyEncoder();
  const { latent } = encoder.features as { latent: Encoder['features'][string] };
  return {
    ...encoder,
    features: { latent: { ...latent, cls: false } },
    encode: (...given) => {
      const tokens = encoder.encode(...given)['latent'] as tf.Tensor3D;
      const [batch, length, width] = tokens.shape;
      return { latent: tf.slice(tokens, [0, 1, 0], [batch, length - 1, width]) };
    },
  };
}

describe('nearest neighbours', () => {
  it('are as many as there are labelled images where fewer than k are there', async () => {
    const { details, labelled } = await run('knn', { k: 20, batch: 4 });
    expect([details, labelled]).toEqual([{ neighbours: 8, width: 8 }, 8]);
  });

  it('are found by what the settings make of the tokens', async () => {
    expect((await run('knn', { k: 3, pool: 'tokens', batch: 4 })).details).toEqual({ neighbours: 3, width: 4 * 8 });
    expect((await run('knn', { k: 3, pool: 'cls', batch: 4 })).details).toEqual({ neighbours: 3, width: 8 });
  });

  it('are refused by a class token that there is not, with what to do', async () => {
    await expect(run('knn', { pool: 'cls', batch: 4 }, { encoder: withoutClassToken() })).rejects.toThrow(/pool: the encoder has no class token\n.*'mean' or 'tokens'/);
  });

  it('are the same however many images are encoded at once', async () => {
    const [one, many] = [await run('knn', { k: 3, batch: 3 }), await run('knn', { k: 3, batch: 64 })];
    expect(one.confusion).toEqual(many.confusion);
  });

  it('keep features of both kinds of images, and no training', async () => {
    const output = fresh();
    await run('knn', { k: 3, batch: 4 }, { output });
    expect(readdirSync(output).filter((name) => name.endsWith('.safetensors')).sort()).toEqual(['features-test.safetensors', 'features-train.safetensors']);
    expect(readdirSync(join(output, 'checkpoints'))).toEqual([]);
  });
});

describe('a linear probe', () => {
  it('reads the class token where there is one, else the mean of the patch tokens, unless told otherwise', async () => {
    const pools = await Promise.all([run('linear', LINEAR), run('linear', LINEAR, { encoder: withoutClassToken() }), run('linear', { ...LINEAR, pool: 'mean' })]);
    expect(pools.map(({ details }) => details['pool'])).toEqual(['cls', 'mean', 'mean']);
  });

  it('refuses fewer images than a batch where features are kept, with what to lower', async () => {
    const short = run('linear', { ...LINEAR, batch: 9, features: 'once' });
    await expect(short).rejects.toThrow(TrainingError);
    await expect(short).rejects.toThrow(/8 labelled images give 0 batches an epoch, fewer than the 1 of one update\n.*Lower batch or accumulate/);
  });

  it('keeps features of training images only where it encodes them once', async () => {
    const [each, once] = [fresh(), fresh()];
    await run('linear', LINEAR, { output: each });
    await run('linear', { ...LINEAR, features: 'once' }, { output: once });
    expect([each, once].map((output) => existsSync(join(output, 'features-train.safetensors')))).toEqual([false, true]);
  });

});

describe('a protocol', () => {
  it.each([
    ['knn', { k: 0 }],
    ['knn', { temperature: 0 }],
    ['knn', { pool: 'max' }],
    ['linear', { features: 'twice' }],
    ['linear', { momentum: 1 }],
    ['finetune', { layerDecay: 0 }],
    ['finetune', { dropPath: 1 }],
    ['finetune', { mix: { switch: 2 } }],
    ['partial', { blocks: -1 }],
    ['partial', { blocks: 'third' }],
    ['classify', { classList: '' }],
    ['robustness', { cropC: 0 }],
  ])('%s refuses %j', async (name, settings) => {
    expect((await findProtocol(name)).configSchema.safeParse(settings).success).toBe(false);
  });
});
