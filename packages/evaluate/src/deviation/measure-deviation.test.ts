import { CompositionError } from '@mimlab/core';
import { createEngine, findTensorflow, type Engine } from '@mimlab/engine';
import { parameterState, TrainConfig } from '@mimlab/train';
import { afterEach, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../testing/tiny-evaluation.js';
import { gradientByHand, NEUTRAL, tinyBatch, tinyBatches, tinyObjective } from '../../testing/tiny-objective.js';
import { fitParameters } from './fit-parameters.js';
import { gradientOutputs, gradientsOf, gradientStep } from './gradient-step.js';
import { measureDeviation, measuredOver, type DeviationResults } from './measure-deviation.js';
import { drawPlans, pairedInputs } from './paired-plans.js';

const engines: [string, () => Promise<Engine>][] = [['eager', cpuEngine]];
if (findTensorflow() === undefined) process.stdout.write('skipped on the graph engine, no libtensorflow found: gradient deviation\n');
else engines.push(['graph', () => createEngine({ kind: 'graph', precision: 'fp32', threads: 1 })]);

const full = tinyObjective('full');
const partial = tinyObjective('partial');
const progressive = tinyObjective('progressive');

let engine: Engine | undefined;
afterEach(() => {
  engine?.dispose();
});

async function holding(create: () => Promise<Engine>): Promise<Engine> {
  engine = await create();
  await engine.define(parameterState(progressive.params(), 0));
  return engine;
}

describe.each(engines)('gradients on the %s engine', (_, create) => {
  it('are those worked out by hand, and change nothing', async () => {
    const held = await holding(create);
    const batch = tinyBatch(3);
    const plans = drawPlans(partial, batch, { seed: 1, mask: 0, plan: 2 });
    const names = ['blocks.0.w', 'decoder.v'];
    const step = held.compile(gradientStep(partial, NEUTRAL, names));
    const outcome = await step.run(pairedInputs(partial, batch, plans, 1), { outputs: gradientOutputs(names) });
    const gradients = gradientsOf(outcome, names);
    expect(gradients['blocks.0.w']?.[0]).toBeCloseTo(gradientByHand('partial', batch, plans), 4);
    // w v is what the loss depends on, so d/dv is w / v times d/dw.
    expect(gradients['decoder.v']?.[0]).toBeCloseTo(4 * gradientByHand('partial', batch, plans), 4);
    expect([...((await held.read(['blocks.0.w']))['blocks.0.w']?.data ?? [])]).toEqual([2]);
  });

  it('are zeros where the loss does not depend on a parameter', async () => {
    const held = await holding(create);
    const frozen = { ...partial, params: () => progressive.params() };
    const batch = tinyBatch(0);
    const step = held.compile(gradientStep(frozen, NEUTRAL, ['prmim.c']));
    const outcome = await step.run(pairedInputs(partial, batch, drawPlans(partial, batch, { seed: 0, mask: 0, plan: 0 }), 0), { outputs: gradientOutputs(['prmim.c']) });
    expect(gradientsOf(outcome, ['prmim.c'])['prmim.c']?.[0]).toBeCloseTo(0, 12);
  });

  it('deviate as those worked out by hand do', async () => {
    const held = await holding(create);
    const { methods, batches } = await measureDeviation({ ...options(held), plans: 4, batches: tinyBatches(3) });
    const draw = { seed: 0, mask: 0 };
    const errors = [0, 1, 2].map((index) => {
      const batch = tinyBatch(index);
      const reference = gradientByHand('full', batch, drawPlans(full, batch, { ...draw, plan: 0 }));
      const each = [0, 1, 2, 3].map((plan) => gradientByHand('partial', batch, drawPlans(partial, batch, { ...draw, plan })));
      return each.reduce((sum, own) => sum + Math.abs(own - reference) / Math.abs(reference), 0) / 4;
    });
    const expected = measuredOver(errors);
    const { relativeError } = methods['partial']?.['encoder'] as NonNullable<DeviationResults['floor'][string]>;
    expect(batches).toBe(3);
    expect(relativeError.mean).toBeCloseTo(expected.mean, 4);
    expect(relativeError.deviation).toBeCloseTo(expected.deviation, 4);
    expect(expected.mean).toBeGreaterThan(0);
  });
});

const options = (held: Engine) => ({
  engine: held,
  statistics: NEUTRAL,
  full,
  methods: [{ name: 'partial', objective: partial }, { name: 'progressive', objective: progressive }],
  batches: tinyBatches(2),
  plans: 2,
  seed: 0,
});

describe('measuring the deviation', () => {
  it('finds none of full reconstruction on its own masks', async () => {
    const { methods } = await measureDeviation({ ...options(await holding(cpuEngine)), methods: [{ name: 'same', objective: tinyObjective('full') }] });
    expect(methods['same']?.['encoder']).toMatchObject({ relativeError: { mean: 0, deviation: 0 }, cosine: { mean: 1, deviation: 0 } });
  });

  it('has a noise floor from masks drawn anew', async () => {
    const { floor } = await measureDeviation(options(await holding(cpuEngine)));
    expect(floor['encoder']?.relativeError.mean).toBeGreaterThan(0);
    expect(Object.keys(floor)).toEqual(['encoder', 'early', 'decoder']);
  });

  it('leaves the parameters of a wrapper out of every group', async () => {
    const held = await holding(cpuEngine);
    const lone = await measureDeviation({ ...options(held), methods: [{ name: 'progressive', objective: progressive }] });
    // Another value of c changes the loss, and no gradient that is compared.
    const values = { 'prmim.c': { shape: [1], dtype: 'float32' as const, data: Float32Array.of(-9) } };
    const moved = await measureDeviation({ ...options(held), methods: [{ name: 'progressive', objective: progressive, values }] });
    expect(moved).toEqual(lone);
    expect([...((await held.read(['prmim.c']))['prmim.c']?.data ?? [])]).toEqual([-9]);
  });

  it('reports every batch', async () => {
    const seen: number[] = [];
    await measureDeviation({ ...options(await holding(cpuEngine)), report: (done) => seen.push(done) });
    expect(seen).toEqual([1, 2]);
  });

  it('refuses a method that is no wrapped form of the full one', async () => {
    const foreign = { ...partial, params: () => ({}) };
    await expect(measureDeviation({ ...options(await holding(cpuEngine)), methods: [{ name: 'foreign', objective: foreign }] })).rejects.toThrow(CompositionError);
  });

  it('refuses two methods of one name', async () => {
    const held = await holding(cpuEngine);
    const methods = [{ name: 'partial', objective: partial }, { name: 'partial', objective: progressive }];
    await expect(measureDeviation({ ...options(held), methods })).rejects.toThrow('two methods have one name');
  });
});

describe('values over batches', () => {
  it('have a mean and a sample deviation', () => {
    expect(measuredOver([1, 2, 3])).toEqual({ mean: 2, deviation: 1 });
  });

  it('have no deviation where there is one', () => {
    expect(measuredOver([5])).toEqual({ mean: 5, deviation: 0 });
  });
});

describe('fitting the parameters of an aggregation', () => {
  const train = TrainConfig.parse({ lr: 0.3, weightDecay: 0, warmupEpochs: 0, epochs: 1 });
  const fit = async (held: Engine, names: string[]) => fitParameters({ engine: held, objective: progressive, statistics: NEUTRAL, names, batches: tinyBatches(60), updates: 60, train, seed: 0 });

  it('brings the chosen one to what the thrown cells are on average, and leaves the others', async () => {
    const held = await holding(cpuEngine);
    const { values, updates } = await fit(held, ['prmim.c']);
    // Pixels are 1 to 7 without preference; it started at 3.
    expect(values['prmim.c']?.data[0]).toBeGreaterThan(3.3);
    expect(values['prmim.c']?.data[0]).toBeLessThan(4.7);
    expect(updates).toBe(60);
    const others = await held.read(['blocks.0.w', 'decoder.v']);
    expect([others['blocks.0.w']?.data[0], others['decoder.v']?.data[0]]).toEqual([2, 0.5]);
  });

  it('is refused where there is nothing to fit', async () => {
    await expect(fit(await holding(cpuEngine), [])).rejects.toThrow('no parameter to fit');
  });
});
