import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { CompositionError } from './errors.js';
import { roleMask } from './hooks/index.js';
import { createObjective, mergeParams, type Objective, type ObjectiveOutcome } from './objective.js';
import { planTensors, stackPlans } from './plan/plan-batch.js';
import type { TokenPlan } from './plan/token-plan.js';
import { DECODER, ENCODER, SAMPLER, TARGET, TOKENS } from './plugin/hook-tokens.js';
import { randomStream } from './random/stream.js';
import { currentPart } from './scope.js';
import { initialParams, tinyDecoder, tinyEncoder, tinyRun, tinySampler, tinyTarget } from './tiny-method.test-support.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const grid = { rows: 2, columns: 2 };
const plan: TokenPlan = { grid, visible: Int32Array.of(2), retained: Int32Array.of(3, 0, 1), thrown: new Int32Array(0) };
const pixels = [1, 2, 7, 4];

/** The outcome for one image, as numbers. */
function evaluated<T extends tf.TensorContainer>(objective: Objective, read: (outcome: ObjectiveOutcome) => T): T {
  return tf.tidy(() => {
    const inputs = Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
    const params = initialParams(objective.params(), randomStream(0));
    return read(objective.evaluate({ images_BHWC: tf.tensor4d(pixels, [1, 2, 2, 1]), plan: planTensors(inputs, grid) }, params, true));
  });
}
const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

describe('an objective', () => {
  it('goes from images to the loss on retained tokens', () => {
    // Mask token 3 times head 0.5 guesses 1.5 for the pixels 4, 1 and 2.
    expect(evaluated(createObjective(tinyRun()), ({ loss }) => numbers(loss)[0])).toBeCloseTo((2.5 ** 2 + 0.5 ** 2 + 0.5 ** 2) / 3, 6);
  });

  it('predicts retained tokens only, and has the same loss when it predicts them all', () => {
    const [few, all] = (['retained', 'sequence'] as const).map((predictTokens) =>
      evaluated(createObjective(tinyRun(), { predictTokens }), ({ loss, predictions }) => ({
        loss: numbers(loss)[0],
        cells: predictions['pixels']?.cells,
        values: numbers(predictions['pixels']?.values['pixels'] as tf.Tensor),
      })),
    );
    expect(few).toMatchObject({ cells: 'retained', values: [1.5, 1.5, 1.5] });
    // The visible pixel 7 times encoder 2 times head 0.5 comes first in known order.
    expect(all).toMatchObject({ cells: 'known', values: [7, 1.5, 1.5, 1.5] });
    expect(all?.loss).toBeCloseTo(few?.loss as number, 6);
  });

  it('has a gradient for what the loss depends on', () => {
    tf.tidy(() => {
      const objective = createObjective(tinyRun());
      const inputs = Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
      const images_BHWC = tf.tensor4d(pixels, [1, 2, 2, 1]);
      const gradient = tf.grad((mask_token: tf.Tensor) => objective.evaluate({ images_BHWC, plan: planTensors(inputs, grid) }, { ...initialParams(objective.params(), randomStream(0)), mask_token }, true).loss);
      // 2 * 0.5 * mean(1.5 - pixel) over the pixels 4, 1 and 2.
      expect(numbers(gradient(tf.tensor1d([3])))[0]).toBeCloseTo((-2.5 + 0.5 - 0.5) / 3, 5);
    });
  });

  it('leaves no tensor behind but what it returns', () => {
    const before = tf.memory().numTensors;
    evaluated(createObjective(tinyRun()), ({ loss }) => numbers(loss));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names the part that is being built', () => {
    const parts: string[] = [];
    const run = tinyRun();
    const note = <T extends object, K extends keyof T>(hook: T, method: K): T => ({
      ...hook,
      [method]: (...args: unknown[]) => {
        parts.push(currentPart());
        return (hook[method] as (...all: unknown[]) => unknown)(...args);
      },
    });
    run.register(ENCODER, { useValue: note(tinyEncoder(grid), 'encode') });
    run.register(DECODER, { useValue: note(note(tinyDecoder(1), 'decode'), 'predict') });
    run.register(TARGET, { useValue: note(note(tinyTarget, 'targets'), 'loss') });
    evaluated(createObjective(run), () => undefined);
    expect(parts).toEqual(['encoder', 'decoder', 'head', 'target', 'loss']);
  });

  it('counts its cost part by part, the head by what it predicts', () => {
    expect(createObjective(tinyRun()).macs()).toEqual({ encoder: 1, decoder: 3, head: 3 });
    expect(createObjective(tinyRun(), { predictTokens: 'sequence' }).macs()).toEqual({ encoder: 1, decoder: 3, head: 4 });
  });

  it('lets the target count what it does with the predictions', () => {
    const run = tinyRun();
    run.register(TARGET, { useValue: { ...tinyTarget, macs: (predicted) => ({ target: 100 * (predicted['pixels'] ?? 0) }) } });
    expect(createObjective(run).macs()).toEqual({ encoder: 1, decoder: 3, head: 3, target: 300 });
    expect(createObjective(run, { predictTokens: 'sequence' }).macs()['target']).toBe(400);
  });

  it('counts the class token of a branch whose prediction of the whole grid needs it', () => {
    const run = tinyRun();
    const decoder = tinyDecoder(1);
    run.register(DECODER, { useValue: { ...decoder, branches: decoder.branches.map((branch) => ({ ...branch, cells: 'grid' as const, cls: true })) } });
    expect(createObjective(run).macs()['head']).toBe(5);
  });

  it('shows numbers of the encoder beside the parts of the loss', () => {
    const run = tinyRun();
    run.register(ENCODER, { useValue: { ...tinyEncoder(grid), watch: (params) => ({ scale: tf.sum(params['encoder.scale'] as tf.Tensor) as tf.Scalar }) } });
    expect(evaluated(createObjective(run), ({ parts }) => [Object.keys(parts), numbers(parts['scale'] as tf.Tensor)])).toEqual([['retained', 'scale'], [2]]);
  });

  it('hands on the values that its target has from files, none where it has none', async () => {
    expect(await createObjective(tinyRun()).pretrained()).toEqual({});
    const run = tinyRun();
    const values = { 'teacher.scale': { shape: [1], dtype: 'float32' as const, data: Float32Array.of(7) } };
    run.register(TARGET, { useValue: { ...tinyTarget, pretrained: async () => values } });
    expect(await createObjective(run).pretrained()).toEqual(values);
  });

  it('gathers the parameters and random inputs of its hooks', () => {
    const objective = createObjective(tinyRun());
    expect(Object.keys(objective.params())).toEqual(['encoder.scale', 'mask_token', 'head.weight']);
    expect(objective.randomInputs(4)).toEqual({ noise: { shape: [4], distribution: 'normal' } });
  });
});

describe('hooks that do not fit', () => {
  it('are refused with both lists when a branch is lacking', () => {
    const run = tinyRun();
    run.register(TARGET, { useValue: { ...tinyTarget, spec: () => ({ teacher: { values: 1, scale: 1, loss: 'l1' } }) } });
    expect(() => createObjective(run)).toThrow(CompositionError);
    expect(() => createObjective(run)).toThrow(/asks for branches \[teacher\], the decoder offers \[pixels\]/);
  });

  it('fit when the target does without the branch that is lacking', () => {
    const run = tinyRun();
    run.register(TARGET, { useValue: { ...tinyTarget, spec: () => ({ ...tinyTarget.spec(grid), fine: { values: 1, scale: 2, loss: 'l1', optional: true } }) } });
    expect(evaluated(createObjective(run), ({ predictions }) => Object.keys(predictions))).toEqual(['pixels']);
  });

  it('are refused when two have a parameter of one name', () => {
    const run = tinyRun();
    run.register(DECODER, { useValue: { ...tinyDecoder(1), params: () => tinyEncoder(grid).params() } });
    expect(() => createObjective(run).params()).toThrow(/encoder\.scale: both encoder and decoder have a parameter of this name/);
  });

  it('are refused when two have a random input of one name', () => {
    const run = tinyRun();
    run.register(DECODER, { useValue: { ...tinyDecoder(1), randomInputs: () => ({ noise: { shape: [], distribution: 'normal' as const } }) } });
    expect(() => createObjective(run).randomInputs(1)).toThrow(/noise: both encoder and decoder have a random input/);
  });

  it('are refused when the sampler follows attention that the encoder does not offer', () => {
    const run = tinyRun();
    const state = { width: () => 4, isDueBefore: () => false, fromAttention: (attention: Float32Array) => attention };
    run.register(SAMPLER, { useValue: { ...tinySampler(1), state } });
    expect(() => createObjective(run)).toThrow(CompositionError);
    expect(() => createObjective(run)).toThrow(/sampler: the sampler follows the attention of a class token, which this encoder does not offer/);
    run.register(ENCODER, { useValue: { ...tinyEncoder(grid), classAttention: () => tf.zeros([1, 1, 4]) } });
    expect(createObjective(run).sampler.state).toBe(state);
  });

  it('are refused when the decoder gives no tokens for a branch', () => {
    const run = tinyRun();
    run.register(DECODER, { useValue: { ...tinyDecoder(1), decode: () => ({}) } });
    expect(() => evaluated(createObjective(run), () => undefined)).toThrow(/branch 'pixels': decode gave no tokens for it/);
  });
});

describe('mergeParams', () => {
  it('keeps every owner’s parameters in order', () => {
    const a = tinyEncoder(grid).params();
    const b = tinyDecoder(1).params();
    expect(mergeParams({ a, b })).toEqual({ ...a, ...b });
  });
});

describe('the default scoring', () => {
  it('gives weight 1 to retained cells only', () => {
    tf.tidy(() => {
      const inputs = Object.fromEntries(Object.entries(stackPlans([{ ...plan, retained: Int32Array.of(3), thrown: Int32Array.of(0, 1) }])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
      const tensors = planTensors(inputs, grid);
      expect(numbers(tinyRun().resolve(TOKENS.scoring).weights(tensors))).toEqual([0, 0, 0, 1]);
      expect(numbers(roleMask(tensors, 'visible'))).toEqual([0, 0, 1, 0]);
      expect(numbers(roleMask(tensors, 'thrown'))).toEqual([1, 1, 0, 0]);
    });
  });
});
