import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { CheckpointError, fullPlan, planTensors, randomStream, saveWeights, stackPlans, type HostTensor, type NamedHostTensors, type Params } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerNorm } from '../layers/layer-norm.js';
import { normParams } from '../params/specs.js';
import { vitEncoder, vitEncoderParams } from './encoder.js';
import { frozenVit, type FrozenVitOptions, type SeenImages } from './frozen-vit.js';

const image = { height: 4, width: 4, channels: 1 };
const patch = { height: 2, width: 2 };
const tiny = (checkpoint: string | null, more: Partial<FrozenVitOptions> = {}): FrozenVitOptions => ({
  prefix: 'teacher.',
  checkpoint,
  weights: 'teacher',
  width: 4,
  depth: 1,
  heads: 2,
  mlpRatio: 2,
  image,
  patch,
  ...more,
});
/** Written by PyTorch 2.15. Tensor k of a ViT of width 4 and depth 1 counts from k in steps of 1/64, shifted by file. */
const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}.pth`, import.meta.url));
const first = ({ data }: HostTensor = { shape: [], dtype: 'float32', data: new Float32Array() }): number | undefined => data[0];

const paramsOf = (options: FrozenVitOptions) => frozenVit(options).params();
const load = (options: FrozenVitOptions): Promise<NamedHostTensors> => frozenVit(options).pretrained();

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-frozen-vit-'));
  await tf.setBackend('cpu');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the weights of a frozen ViT', () => {
  it.each([
    ['the teacher of a whole iBOT checkpoint', 'ibot-whole', {}, 0],
    ['the student of a whole iBOT checkpoint', 'ibot-whole', { weights: 'student' as const }, 0.5],
    ['the backbone of an iBOT checkpoint', 'ibot-backbone', {}, 0],
    ['the encoder of an official MAE checkpoint', 'mae', {}, 0.25],
  ])('are %s', async (_what, name, more, shift) => {
    const values = await load(tiny(fixture(name), more));
    const specs = paramsOf(tiny(null));
    expect(Object.keys(values).sort()).toEqual(Object.keys(specs).sort());
    expect(first(values['teacher.cls_token'])).toBe(0 + shift);
    expect(first(values['teacher.patch_embed.proj.weight'])).toBe(2 + shift);
    // In memory a linear map lies transposed: the second number is the file's second row.
    expect(values['teacher.blocks.0.attn.qkv.weight']).toMatchObject({ shape: [4, 12] });
    expect(values['teacher.blocks.0.attn.qkv.weight']?.data[1]).toBe(6 + shift + 4 / 64);
  });

  it('are those of the newest checkpoint of a run, whatever else it holds', async () => {
    const specs = { ...vitEncoderParams({ ...tiny(null) }, { rows: 2, columns: 2 }), ...normParams('decoder_norm', 3) };
    const values = (shift: number) =>
      Object.fromEntries(Object.entries(specs).map(([name, { shape }]): [string, HostTensor] => [name, { shape, dtype: 'float32', data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(shift) }]));
    for (const step of [3, 12]) {
      const path = join(folder, 'run/checkpoints', `step-${String(step).padStart(8, '0')}`);
      mkdirSync(path, { recursive: true });
      await saveWeights(join(path, 'model.safetensors'), values(step), specs);
    }
    const loaded = await load(tiny(join(folder, 'run')));
    expect(Object.values(loaded).map(first)).toEqual(Object.keys(loaded).map(() => 12));
  });

  it('do not fit a teacher of another size, which is said name by name', async () => {
    const deeper = load(tiny(fixture('mae'), { depth: 2 }));
    await expect(deeper).rejects.toThrow(CheckpointError);
    await expect(deeper).rejects.toThrow(/'blocks\.1\.norm1\.weight' is missing/);
    await expect(load(tiny(fixture('mae'), { width: 8 }))).rejects.toThrow(/'cls_token' has shape \[1, 1, 4\], the model has \[1, 1, 8\]/);
  });

  it('are named in full where the file is missing', async () => {
    await expect(load(tiny('nowhere.pth'))).rejects.toThrow(/nowhere\.pth: there is no such file/);
  });

  it('are drawn at random only where that was asked for', async () => {
    expect(await load(tiny(null))).toEqual({});
    const start = (checkpoint: string | null): boolean => {
      const spec = paramsOf(tiny(checkpoint))['teacher.blocks.0.attn.qkv.weight'];
      return spec?.init(spec.shape, randomStream('start')).every(Number.isFinite) ?? false;
    };
    expect([start(null), start('ibot.pth')]).toEqual([true, false]);
  });

  it('are all frozen', () => {
    expect(Object.values(paramsOf(tiny(null))).some(({ trainable }) => trainable)).toBe(false);
  });
});

describe('the forward pass of a frozen ViT', () => {
  const images = tf.tensor4d(Float32Array.from({ length: 32 }, (_, i) => Math.sin(3 * i)), [2, 4, 4, 1]);
  const valuesOf = (options: FrozenVitOptions): Params =>
    Object.fromEntries(Object.entries(paramsOf(options)).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));
  const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];

  const look = (options: FrozenVitOptions, params: Params, read: (seen: SeenImages) => tf.Tensor2D) => frozenVit(options).look(images, params, read);
  const block = (number: number) => ({ outputs_MD }: SeenImages): tf.Tensor2D => outputs_MD[number] as tf.Tensor2D;

  it('is that of a ViT that sees every patch, without its final norm', () => {
    const options = tiny(null, { depth: 2 });
    const params = valuesOf(options);
    const own = Object.fromEntries(Object.entries(params).map(([name, value]) => [name.slice('teacher.'.length), value]));
    const norm = { 'norm.weight': tf.tensor1d([1, 2, 3, 4]), 'norm.bias': tf.tensor1d([0, 1, 0, 1]) };
    const inputs = Object.fromEntries(Object.entries(stackPlans([0, 1].map(() => fullPlan({ rows: 2, columns: 2 })))).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
    const vit = vitEncoder({ ...options, embedPatches: 'all' });
    const latent = vit.encode(images, planTensors(inputs, vit.grid), { ...own, ...norm }, { training: false, random: {} })['latent'] as tf.Tensor;
    const raw = look(options, params, block(1));
    expect(raw.shape).toEqual([2, 5, 4]);
    const normed = numbers(layerNorm(tf.reshape(raw, [10, 4]), norm, 'norm'));
    numbers(latent).forEach((value, i) => expect(normed[i]).toBeCloseTo(value, 4));
  });

  it('shows what every block gives, each as if it were the last', () => {
    const deeper = tiny(null, { depth: 2 });
    const params = valuesOf(deeper);
    expect(numbers(look(deeper, params, block(0)))).toEqual(numbers(look(tiny(null), params, block(0))));
    expect(numbers(look(deeper, params, block(0)))).not.toEqual(numbers(look(deeper, params, block(1))));
  });

  it('shows queries, keys and values of the last block', () => {
    expect(look(tiny(null), valuesOf(tiny(null)), ({ qkv_M3D }) => qkv_M3D).shape).toEqual([2, 5, 12]);
  });

  it('keeps nothing for a backward pass', () => {
    const params = valuesOf(tiny(null));
    const kept = (inside: (x: tf.Tensor) => void): number => {
      let made = 0;
      tf.tidy(() => {
        tf.grad((x: tf.Tensor) => {
          const before = tf.memory().numTensors;
          inside(x);
          made = tf.memory().numTensors - before;
          return tf.sum(x);
        })(tf.scalar(1));
      });
      return made;
    };
    expect(kept(() => look(tiny(null), params, block(0)))).toBeLessThanOrEqual(2);
  });
});
