import { planTensors, stackPlans, stepInputSpecs, type NamedHostTensors, type NamedTensors, type ObjectiveBatch, type TensorSpec } from '@mimlab/core';
import { countMacs, traceFunction, type Engine, type StepDefinition } from '@mimlab/engine';
import type { PrMimInput } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engines } from './parity/engines.js';
import { largest, learn, maeSetting, type MaeSetting } from './pr-mim-mae-run.js';

/** Every option that builds operations of its own, at least once. */
const VARIANTS: readonly (readonly [name: string, wrap: PrMimInput])[] = [
  ['partial', { reconstruction: 'partial' }],
  ['partial, whole sequence predicted', { reconstruction: 'partial', predictTokens: 'sequence' }],
  ['subset', { reconstruction: 'subset' }],
  ['dwconv, replace-all, counted', { merge: 'replace-all', normalizeByCount: true }],
  ['dwconv larger than the grid, residual, retained tokens only', { merge: 'residual', source: 'retained', aggregator: { kernel: 11 } }],
  ['mask tokens as fill', { fill: 'mask-token', aggregator: { kernel: 3, init: 'mean' } }],
  ['average pooling by known cells', { aggregator: { kind: 'avgpool', countKnown: true, kernel: 5 } }],
  ['transformer', { aggregator: { kind: 'transformer' } }],
  ['ConvNeXt', { aggregator: { kind: 'convnext' } }],
  ['own norm and head, weighted', { shareNorm: false, shareHead: false, lossWeights: { thrown: 0.5 } }],
  ['held-back gradient, residual', { stopGradient: 'known', merge: 'residual' }],
];

const images = (setting: MaeSetting): NamedHostTensors => {
  const { images_BHWC } = setting.batch;
  return { images: { shape: images_BHWC.shape, dtype: 'float32', data: images_BHWC.dataSync() as Float32Array } };
};
const batchFrom = (inputs: NamedTensors, { objective }: MaeSetting): ObjectiveBatch => ({
  images_BHWC: inputs['images'] as ObjectiveBatch['images_BHWC'],
  plan: planTensors(inputs, objective.grid),
});
const trainable = ({ objective }: MaeSetting): string[] => Object.entries(objective.params()).flatMap(([name, spec]) => (spec.trainable ? [name] : []));

test.each(VARIANTS)('%s: the cost formulas equal the recorded graph, part by part', (_name, wrap) => {
  const { objective } = maeSetting({ throw: 0.4, ...wrap });
  const params = Object.entries(objective.params()).map(([name, { shape }]): [string, TensorSpec] => [`param.${name}`, { shape, dtype: 'float32' }]);
  const specs = { ...stepInputSpecs(objective, 1), ...Object.fromEntries(params) };
  const recording = traceFunction((inputs) => {
    const state = Object.fromEntries(params.map(([name]) => [name.slice('param.'.length), inputs[name] as Tensor]));
    const given: ObjectiveBatch = { images_BHWC: tf.cast(inputs['images'] as Tensor, 'float32') as tf.Tensor4D, plan: planTensors(inputs, objective.grid) };
    return { loss: objective.evaluate(given, state, false).loss };
  }, specs);
  const formula = Object.fromEntries(Object.entries(objective.macs()).filter(([, macs]) => macs > 0));
  expect(countMacs(recording)).toEqual(formula);
});

describe.each(VARIANTS)('%s', (_name, wrap) => {
  describe.each(engines())('on the $name engine', ({ create }) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.dispose());

    test('loss and gradients are those of plain execution', async () => {
      await tf.setBackend('cpu');
      const setting = maeSetting({ throw: 0.4, ...wrap });
      const reference = learn(setting);
      const names = trainable(setting);
      const inputs = { ...images(setting), ...stackPlans(setting.plans) };
      const values = Object.entries(setting.params).map(([name, value]): [string, { shape: number[]; data: Float32Array }] => [name, { shape: value.shape, data: value.dataSync() as Float32Array }]);
      await engine.define(Object.fromEntries(values.map(([name, { shape, data }]) => [name, { shape, init: () => data }])));
      const definition: StepDefinition = {
        name: 'pr-mim.gradients',
        state: Object.keys(setting.params),
        compute(state, given) {
          const batch = batchFrom(given, setting);
          const gradients = tf.grads(() => setting.objective.evaluate(batch, state, true).loss)(names.map((name) => state[name] as Tensor));
          const loss = tf.reshape(setting.objective.evaluate(batch, state, true).loss, [1]);
          return { outputs: { loss, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i] as Tensor])) } };
        },
      };
      const step = engine.compile(definition);
      const { outputs } = await step.run(inputs, { outputs: ['loss', ...names.map((name) => `grad.${name}`)] });
      step.dispose();
      expect(outputs['loss']?.data[0]).toBeCloseTo(reference.loss, 4);
      for (const name of names) {
        const expected = reference.gradients[name] as Float32Array;
        const gap = largest(expected.map((value, i) => value - (outputs[`grad.${name}`]?.data[i] as number)));
        expect([name, gap <= 1e-4 * Math.max(1, largest(expected))]).toEqual([name, true]);
      }
    });
  });
});
