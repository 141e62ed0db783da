import { fullPlan } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { examine, settingsOf } from './options.js';
import { cellAt, eagerly, initialValues, makeBatch, objectiveOf, replaceHidden, sampleContext, testImage, toTensors } from './subject.js';
import { image, toy } from './toy-method.test-support.js';

const examined = examine(toy(), { image });
const objective = objectiveOf(examined);

describe('settings', () => {
  it('are filled in where an author gives images alone', () => {
    const settings = settingsOf({ image: { height: 8, width: 8, channels: 3 } });
    expect(settings).toMatchObject({ config: {}, complete: {}, batch: 2, seed: 0, throw: 0.5, refusesThrowing: false, training: { updates: 30, lr: 0.005 } });
    expect(settings.statistics).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] });
  });

  it('have at least two images, so that mixing them up shows', () => {
    expect(settingsOf({ image, batch: 1 }).batch).toBe(2);
    expect(settingsOf({ image, batch: 3 }).batch).toBe(3);
  });

  it.each(['blocks.0.attn.k.bias', 'attn.key_proj.bias', 'k_proj_bias', 'key.bias'])('know that softmax does not see %s', (name) => {
    expect(settingsOf({ image }).withoutGradient(name)).toBe(true);
  });

  it.each(['attn.qkv.bias', 'blocks.0.attn.k.weight', 'mask.bias', 'monkey.bias', 'k.bias.scale'])('expect a gradient at %s', (name) => {
    expect(settingsOf({ image }).withoutGradient(name)).toBe(false);
  });
});

describe('the test images', () => {
  it('are a function of seed and index, and differ in both', () => {
    expect(testImage(image, 1, 2)).toEqual(testImage(image, 1, 2));
    expect(testImage(image, 1, 2)).not.toEqual(testImage(image, 1, 3));
    expect(testImage(image, 1, 2)).not.toEqual(testImage(image, 2, 2));
  });

  it('have structure in every patch and no clipped pixel', () => {
    const sizes = fc.record({ height: fc.integer({ min: 4, max: 9 }), width: fc.integer({ min: 4, max: 9 }), channels: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(sizes, fc.nat(50), (size, index) => {
        const pixels = testImage(size, 0, index);
        expect(pixels).toHaveLength(size.height * size.width * size.channels);
        expect(new Set(pixels).size).toBeGreaterThan(4);
        for (const pixel of pixels) expect(pixel > 20 && pixel < 236).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('hidden pixels', () => {
  it('lie in cells by row and column, also on grids that are not square', () => {
    const wide = { ...objective, image: { height: 4, width: 12, channels: 1 }, grid: { rows: 2, columns: 3 } };
    expect([cellAt(wide, 0, 0), cellAt(wide, 1, 4), cellAt(wide, 1, 11), cellAt(wide, 2, 0), cellAt(wide, 3, 8)]).toEqual([0, 1, 2, 3, 5]);
  });

  it('all change, and visible ones stay', () => {
    const plan = { ...fullPlan({ rows: 4, columns: 4 }), visible: Int32Array.of(0, 15), retained: Int32Array.from({ length: 14 }, (_, i) => i + 1) };
    const pixels = testImage(image, 0, 0);
    const altered = pixels.slice();
    // Another picture that happens to agree in every second pixel.
    const other = pixels.map((pixel, i) => (i % 2 === 0 ? pixel : pixel + 1));
    replaceHidden(objective, altered, plan, other);
    pixels.forEach((pixel, at) => {
      const cell = cellAt(objective, Math.floor(at / 16), at % 16);
      expect(altered[at] === pixel).toBe(cell === 0 || cell === 15);
    });
  });
});

describe('a batch', () => {
  it('holds a plan of its own for each image, and streams that are new at every call', () => {
    const { plans } = makeBatch(objective, examined);
    expect(plans).toHaveLength(2);
    expect([...(plans[0]?.visible ?? [])]).not.toEqual([...(plans[1]?.visible ?? [])]);
    expect(objective.sampler.sample(sampleContext(objective, 0, 0))).toEqual(plans[0]);
  });

  it('shares the first plan where one plan serves the micro-batch', () => {
    const shared = examine(toy({ sampler: (sound) => ({ ...sound, scope: 'batch' }) }), { image });
    const { plans } = makeBatch(objectiveOf(shared), shared);
    expect(plans[1]).toBe(plans[0]);
  });

  it('tells whoever alters pixels which image it is', () => {
    const seen: number[] = [];
    makeBatch(objective, examined, (_pixels, _plan, index) => seen.push(index));
    expect(seen).toEqual([0, 1]);
  });
});

describe('what a check runs on', () => {
  it('has uint8 inputs as int32, as inside a step', () => {
    const tensors = toTensors({ a: { shape: [1], dtype: 'uint8', data: Uint8Array.of(200) }, b: { shape: [1], dtype: 'float32', data: Float32Array.of(0.5) } });
    expect([tensors['a']?.dtype, tensors['b']?.dtype]).toEqual(['int32', 'float32']);
    tf.dispose(tensors);
  });

  it('has parameters drawn from streams of their own names', () => {
    const values = initialValues(objective, 3);
    expect(Object.keys(values)).toEqual(Object.keys(objective.params()));
    expect(values['blocks.0.attn.qkv.weight']?.data).toEqual(initialValues(objective, 3)['blocks.0.attn.qkv.weight']?.data);
    expect(values['blocks.0.attn.qkv.weight']?.data).not.toEqual(values['decoder_blocks.0.attn.qkv.weight']?.data);
  });

  it('is freed afterwards, and its result handed on', async () => {
    await eagerly(examined, objective, () => undefined);
    const before = tf.memory().numTensors;
    expect(await eagerly(examined, objective, (batch, _params, { plans }) => [batch.images_BHWC.shape, plans.length])).toEqual([[2, 16, 16, 1], 2]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lets errors of a check through', async () => {
    await expect(
      eagerly(examined, objective, () => {
        throw new Error('broken hook');
      }),
    ).rejects.toThrow('broken hook');
  });
});
