import '@tensorflow/tfjs';
import { randomStream } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { vitBlock } from '../layers/vit-block.js';
import { vitBlockParams } from '../params/specs.js';
import { keptBlockBytes, TORCH_PARAMETER_BYTES, type BlockSize } from './memory.js';

type Tracked = { readonly dataId: object; readonly size: number };
type Tracker = { trackTensor(tensor: Tracked, backend: unknown): void; disposeTensor(tensor: Tracked): void };

/** Bytes of the distinct buffers that `build` makes and that are still alive when it is done; handles on one buffer count once. */
function bytesLeftBy(build: () => Tensor, given: readonly Tensor[]): number {
  const engine = tf.engine() as unknown as Tracker;
  const { trackTensor, disposeTensor } = engine;
  const alive = new Map<object, { handles: number; bytes: number }>();
  engine.trackTensor = function (this: Tracker, tensor, backend) {
    trackTensor.call(this, tensor, backend);
    const entry = alive.get(tensor.dataId) ?? { handles: 0, bytes: 4 * tensor.size };
    entry.handles++;
    alive.set(tensor.dataId, entry);
  };
  engine.disposeTensor = function (this: Tracker, tensor) {
    const entry = alive.get(tensor.dataId);
    if (entry !== undefined && --entry.handles === 0) alive.delete(tensor.dataId);
    disposeTensor.call(this, tensor);
  };
  try {
    tf.tidy(build);
  } finally {
    Object.assign(engine, { trackTensor, disposeTensor });
  }
  for (const tensor of given) alive.delete(tensor.dataId as unknown as object);
  return [...alive.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

function measured(batch: number, { tokens, width, heads }: BlockSize): number {
  const specs = Object.entries(vitBlockParams('block', width, 4));
  const params = Object.fromEntries(specs.map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream('memory', name)), [...shape])]));
  let bytes = 0;
  tf.grad((x: Tensor) => {
    let out: Tensor | undefined;
    bytes = bytesLeftBy(() => (out = vitBlock(x as Tensor2D, params, 'block', { batch, tokens, heads })), [x, ...Object.values(params)]);
    return tf.sum(out as Tensor);
  })(tf.randomNormal([batch * tokens, width], 0, 1, 'float32', 5));
  return bytes;
}

describe('bytes kept for the backward pass', () => {
  test.each([
    [1, { tokens: 5, width: 8, heads: 2 }],
    [2, { tokens: 5, width: 8, heads: 2 }],
    [1, { tokens: 7, width: 8, heads: 4 }],
    [1, { tokens: 9, width: 12, heads: 3 }],
    [3, { tokens: 4, width: 16, heads: 1 }],
  ])('%i images, %j: the formula is what is counted', (batch, size) => {
    expect(measured(batch, size)).toBe(batch * keptBlockBytes('eager-fp32', size));
  });

  test('MAE ViT-B in PyTorch, mixed precision: 18.8 MB in the encoder, 58.9 MB in the decoder for each image', () => {
    const encoder = 12 * keptBlockBytes('torch-mixed', { tokens: 50, width: 768, heads: 12 });
    const decoder = 8 * keptBlockBytes('torch-mixed', { tokens: 197, width: 512, heads: 16 });
    expect([encoder, decoder].map((bytes) => (bytes / 1e6).toFixed(1))).toEqual(['18.8', '58.9']);
  });

  test('a token of ViT-B keeps 27,648 + 72 n bytes in mixed precision, 49,152 + 48 n in fp32', () => {
    const perToken = (by: 'torch-mixed' | 'torch-fp32', tokens: number): number => keptBlockBytes(by, { tokens, width: 768, heads: 12 }) / tokens - 16;
    expect(perToken('torch-mixed', 50)).toBe(27_648 + 72 * 50);
    expect(perToken('torch-fp32', 197)).toBe(49_152 + 48 * 197);
  });

  test('parameters of MAE ViT-B and what is of their size take 2.46 GB', () => {
    expect(((111_655_680 * TORCH_PARAMETER_BYTES) / 1e9).toFixed(2)).toBe('2.46');
  });

  test('half the tokens thrown leaves 55 % of the memory of the whole, at 128 images with all fixed costs 63 %', () => {
    // What lies outside the blocks is 3.8 MB an image at full length; the decoder's share of it shrinks too, which this leaves out.
    const outside = 3.8e6;
    const image = (decoderTokens: number): number =>
      12 * keptBlockBytes('torch-mixed', { tokens: 50, width: 768, heads: 12 }) + 8 * keptBlockBytes('torch-mixed', { tokens: decoderTokens, width: 512, heads: 16 }) + outside;
    const fixed = 111_655_680 * TORCH_PARAMETER_BYTES;
    expect(image(99) / image(197)).toBeCloseTo(0.546, 2);
    expect((fixed + 128 * image(99)) / (fixed + 128 * image(197))).toBeCloseTo(0.633, 2);
  });
});
