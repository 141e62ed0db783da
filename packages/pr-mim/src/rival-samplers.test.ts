import { CompositionError, countsOf, ENCODER, composeRun, createObjective, type Encoder, type ObjectiveBatch, type TokenPlan } from '@mimlab/core';
import { PATCHES, PIXELS } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { PrMimConfig, type PrMimInput } from './config.js';
import { batchOf, hostPlugin, hostRun, largest, lossAndGradients, roughParams, samplePlans, type HostOptions, type Run } from './host.fixture.js';
import { prMim } from './wrapper.js';

const options: HostOptions = { grid: { rows: 4, columns: 4 } };
/** Attention to every cell, another one for each image. */
const attention = (sampleId: number): Float32Array => Float32Array.from({ length: 16 }, (_, cell) => (((cell + 3 * sampleId) * 7) % 16) / 16);

interface Setting {
  readonly run: Run;
  readonly plans: TokenPlan[];
  readonly batch: ObjectiveBatch;
  readonly params: Record<string, Tensor>;
}
function setting(wrap?: PrMimInput, state?: typeof attention): Setting {
  const run = hostRun(wrap, options);
  const plans = samplePlans(run, 3, 1, state);
  return { run, plans, batch: batchOf(run, plans), params: roughParams(run.objective.params()) };
}
const learn = ({ run, batch, params }: Setting): ReturnType<typeof lossAndGradients> => lossAndGradients(run.objective, batch, params);

const SAMPLERS: Readonly<Record<string, PrMimInput>> = {
  'running-cell': { sampling: 'running-cell' },
  'running-cell as released': { sampling: 'running-cell', variant: 'faithful' },
  amt: { sampling: 'amt' },
  'amt as released': { sampling: 'amt', variant: 'faithful', throw: 0.3 },
  'amt-throw': { sampling: 'amt-throw' },
};
const each = Object.entries(SAMPLERS);

describe('at γ 0 and before anything was gathered, the method is left exactly as it is', () => {
  const reference = learn(setting());
  test.each(each.filter(([name]) => name !== 'amt as released'))('%s', (_name, wrap) => {
    const learned = learn(setting({ ...wrap, throw: 0 }));
    expect(learned.loss).toBe(reference.loss);
    expect(learned.gradients).toEqual(reference.gradients);
  });

  test('AMT as released trains it so until attention is there, aggregation at rest', () => {
    const learned = learn(setting(SAMPLERS['amt as released']));
    expect(learned.loss).toBeCloseTo(reference.loss, 5);
    expect(largest(learned.gradients['prmim.pixels.conv.weight'] as Float32Array)).toBe(0);
  });
});

describe('with partial and progressive reconstruction', () => {
  describe.each(each)('%s', (_name, wrap) => {
    test.each(['partial', 'progressive'] as const)('%s: a gradient reaches every parameter', (reconstruction) => {
      const made = setting({ ...wrap, reconstruction }, attention);
      const { loss, gradients } = learn(made);
      expect(Number.isFinite(loss)).toBe(true);
      for (const [name, gradient] of Object.entries(gradients)) expect(largest(gradient), name).toBeGreaterThan(0);
      const promised = made.run.objective.sampler.counts(made.run.grid);
      for (const plan of made.plans) expect(countsOf(plan)).toEqual(promised);
      expect(Object.keys(gradients).includes('prmim.pixels.conv.weight')).toBe(reconstruction === 'progressive');
    });

    test.each(['partial', 'progressive'] as const)('%s: the gradient is that of the loss', (reconstruction) => {
      const made = setting({ ...wrap, reconstruction }, attention);
      const { gradients } = learn(made);
      for (const name of ['mask_token', 'decoder_norm.bias', 'cls_token']) {
        const value = made.params[name] as Tensor;
        const direction = tf.tensor(Float32Array.from({ length: value.size }, (_, i) => Math.cos(3 * i + 1)), value.shape);
        const at = (step: number): number => made.run.objective.evaluate(made.batch, { ...made.params, [name]: tf.add(value, tf.mul(direction, step)) }, true).loss.dataSync()[0] as number;
        const slope = (at(1e-2) - at(-1e-2)) / 2e-2;
        const expected = Array.from(direction.dataSync()).reduce((sum, d, i) => sum + d * (gradients[name]?.[i] as number), 0);
        expect(Math.abs(slope - expected), name).toBeLessThan(2e-3 * Math.max(1, Math.abs(expected)));
      }
    });
  });
});

describe('mask tokens in cells that the encoder saw', () => {
  const wrap: PrMimInput = { sampling: 'running-cell', variant: 'faithful', reconstruction: 'partial' };

  test('lengthen the decoder to V + (1 - ρ) N tokens and have no loss', () => {
    const { run, plans, batch, params } = setting(wrap);
    const outcome = run.objective.evaluate(batch, params, false);
    const predicted = outcome.predictions[PIXELS]?.values[PATCHES] as Tensor3D;
    expect(predicted.shape).toEqual([3, 8, 4]);
    expect(plans.some(({ repeated }) => (repeated?.length ?? 0) > 0)).toBe(true);
    const values = predicted.arraySync();
    const targets = (outcome.targets[PIXELS]?.[PATCHES] as Tensor3D).arraySync();
    const losses = plans.flatMap(({ retained }, b) =>
      [...retained].map((cell, place) => (values[b]?.[place] as number[]).reduce((sum, value, p) => sum + (value - (targets[b]?.[cell]?.[p] as number)) ** 2 / 4, 0)),
    );
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(outcome.loss.dataSync()[0]).toBeCloseTo(mean, 5);
    expect(outcome.parts['retained']?.dataSync()[0]).toBeCloseTo(mean, 5);
  });

  test('change what the decoder attends to, and so the loss', () => {
    const made = setting(wrap);
    const without = made.plans.map((plan) => ({ ...plan, repeated: plan.visible.slice(0, plan.repeated?.length ?? 0) }));
    const moved = learn({ ...made, plans: without, batch: batchOf(made.run, without) });
    expect(moved.loss).not.toBeCloseTo(learn(made).loss, 6);
  });

  test('cost what the decoder takes them for', () => {
    const cost = (given: PrMimInput): number => hostRun(given, options).objective.macs()['decoder'] as number;
    // V 4 + K 8 against V 4 + K 4.
    expect(cost(wrap)).toBeGreaterThan(cost({ ...wrap, sampling: 'random', variant: undefined }));
  });

  test('are refused where the encoder takes hidden tokens, or predictions mix tokens', () => {
    const container = (change?: (encoder: Encoder) => Encoder, tokenwise = true) => {
      const plugin = hostPlugin({ branch: (branch) => ({ ...branch, tokenwise }) });
      const run = composeRun({
        image: { height: 8, width: 8, channels: 1 },
        method: {
          plugin: {
            ...plugin,
            hooks: (config) => {
              const hooks = plugin.hooks(config);
              const encoder = hooks.encoder as NonNullable<typeof hooks.encoder>;
              return { ...hooks, encoder: (inner) => (change ?? ((own) => own))(encoder(inner)) };
            },
          },
          config: {},
        },
        wrap: [{ plugin: prMim, config: PrMimConfig.parse(wrap) }],
      });
      return () => createObjective(run);
    };
    expect(container()).not.toThrow();
    expect(container(undefined, false)).toThrow(/branch 'pixels' does not predict token by token/);
    const known = (encoder: Encoder): Encoder => ({ ...encoder, features: { ...encoder.features, tokens: { width: 12, cells: 'known', cls: true } } });
    expect(container(known)).toThrow(CompositionError);
    expect(container(known)).toThrow(/this encoder takes hidden tokens itself/);
  });
});

test('a method whose encoder offers no attention cannot be followed', () => {
  const run = composeRun({ image: { height: 8, width: 8, channels: 1 }, method: { plugin: hostPlugin(), config: {} }, wrap: [{ plugin: prMim, config: PrMimConfig.parse({ sampling: 'amt' }) }] });
  const { classAttention, ...without } = run.resolve(ENCODER);
  expect(classAttention).toBeDefined();
  run.register(ENCODER, { useValue: without });
  expect(() => createObjective(run)).toThrow(/follows the attention of a class token, which this encoder does not offer/);
});
