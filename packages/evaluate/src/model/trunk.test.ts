import '@tensorflow/tfjs';
import { ConfigError, randomStream, type Architecture, type ImageSpec, type Params, type ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { trunkOf, type Trunk } from './trunk.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const image: ImageSpec = { height: 4, width: 8, channels: 1 };
const sizes = { patch: { height: 2, width: 2 }, width: 4, mlpRatio: 2 };
const vit: Architecture = { kind: 'vit', ...sizes, depth: 2, heads: 2 };
const beit = (more: Partial<Extract<Architecture, { kind: 'beit' }>> = {}): Architecture => ({ kind: 'beit', ...sizes, depth: 2, heads: 2, positions: 'relative', layerScale: null, ...more });
const swin: Architecture = { kind: 'swin', ...sizes, depths: [1, 2], heads: [1, 2], window: 2 };

const randomParams = (specs: ParamSpecs): Params =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => {
    const random = randomStream('trunk', name);
    return [name, tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() / 2), [...shape])];
  })); // prettier-ignore
const images = (batch: number): Tensor4D => {
  const random = randomStream('trunk-images');
  return tf.tensor4d(Float32Array.from({ length: batch * 32 }, () => random.normal()), [batch, 4, 8, 1]);
};
const tokensOf = (trunk: Trunk, params: Params): number[] => [...trunk.tokens(images(1), params).dataSync()];
const namesLike = (trunk: Trunk, pattern: RegExp): string[] => Object.keys(trunk.params()).filter((name) => pattern.test(name));

describe('a trunk', () => {
  it.each([
    [vit, 9, 4, 2, true],
    [beit(), 9, 4, 2, true],
    [swin, 2, 8, 3, false],
  ] as const)('of kind $kind gives the tokens, width and blocks that it declares', (architecture, tokens, width, blocks, cls) => {
    const trunk = trunkOf(architecture, image);
    expect([trunk.width, trunk.blocks, trunk.cls]).toEqual([width, blocks, cls]);
    expect(trunk.tokens(images(3), randomParams(trunk.params())).shape).toEqual([3, tokens, width]);
  });

  it.each([vit, beit(), swin])('of kind $kind lays every parameter between embedding and norm', (architecture) => {
    const trunk = trunkOf(architecture, image);
    const layers = Object.fromEntries(Object.keys(trunk.params()).map((name) => [name, trunk.layerOf(name)]));
    expect(layers['patch_embed.proj.weight']).toBe(0);
    expect(layers['norm.weight']).toBe(trunk.blocks + 1);
    for (const layer of Object.values(layers)) expect(layer >= 0 && layer <= trunk.blocks + 1).toBe(true);
  });

  it.each([vit, beit(), swin])('of kind $kind norms tokens only where it is asked to', (architecture) => {
    const trunk = trunkOf(architecture, image);
    const params = randomParams(trunk.params());
    const other = { ...params, 'norm.weight': tf.mul(params['norm.weight'] as tf.Tensor, 2), 'norm.bias': tf.zeros([trunk.width]) };
    expect(tokensOf(trunk, other)).toEqual(tokensOf(trunk, params));
    const rows = tf.tensor2d(Float32Array.from({ length: trunk.width }, (_, i) => i), [1, trunk.width]);
    expect([...trunk.norm(rows, other).dataSync()]).not.toEqual([...trunk.norm(rows, params).dataSync()]);
  });

  it.each([vit, beit(), swin])('of kind $kind refuses an image that its patches do not fill', (architecture) => {
    expect(() => trunkOf(architecture, { ...image, width: 7 })).toThrow(ConfigError);
  });
});

describe('a ViT', () => {
  it('learns its positions, which start as sines and cosines', () => {
    const spec = trunkOf(vit, image).params()['pos_embed'] as ParamSpecs[string];
    expect([spec.trainable, spec.shape]).toEqual([true, [1, 9, 4]]);
    const start = spec.init(spec.shape, randomStream('any'));
    expect([...start.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(Math.max(...start)).toBe(1);
  });

  it('refuses heads that do not divide its width', () => {
    expect(() => trunkOf({ ...vit, heads: 3 } as Architecture, image)).toThrow(ConfigError);
  });
});

describe("BEiT's ViT", () => {
  it('has a table of relative positions in every block, or learned positions in their stead', () => {
    expect(namesLike(trunkOf(beit(), image), /position_bias_table|pos_embed/)).toEqual(['blocks.0.attn.relative_position_bias_table', 'blocks.1.attn.relative_position_bias_table']);
    expect(namesLike(trunkOf(beit({ positions: 'learned' }), image), /position_bias_table|pos_embed/)).toEqual(['pos_embed']);
  });

  it.each(['blocks.0.attn.relative_position_bias_table', 'blocks.1.attn.relative_position_bias_table'])('follows %s', (name) => {
    const trunk = trunkOf(beit(), image);
    const params = randomParams(trunk.params());
    expect(tokensOf(trunk, { ...params, [name]: tf.zerosLike(params[name] as tf.Tensor) })).not.toEqual(tokensOf(trunk, params));
  });

  it('scales those branches that it is told to', () => {
    const scaled = (on: readonly ('attention' | 'mlp')[]): string[] => namesLike(trunkOf(beit({ layerScale: { start: 0.1, on } }), image), /^blocks\.0\.gamma/);
    expect(scaled(['attention', 'mlp'])).toEqual(['blocks.0.gamma_1', 'blocks.0.gamma_2']);
    expect(namesLike(trunkOf(beit(), image), /gamma/)).toEqual([]);
  });
});

describe('a Swin', () => {
  it('passes over the residual branch of a block by its number through all stages', () => {
    const trunk = trunkOf(swin, image);
    const seen = new Set<number>();
    trunk.tokens(images(1), randomParams(trunk.params()), (block) => {
      seen.add(block);
      return (branch) => branch;
    });
    expect([...seen]).toEqual([0, 1, 2]);
  });
});
