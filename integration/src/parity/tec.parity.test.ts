import type { HostTensor } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNear } from './closeness.js';
import { type AvailableEngine, engines, runOnce } from './engines.js';
import { describeGolden, loadGolden, loadJson, tensorOf, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { defineParams, entry, plansFromNoise, stepInputs } from './mae-case.js';
import { gradientStep, toRaster } from './mae-steps.js';
import { asStored, tecForward, tecRun } from './tec-case.js';
import { describeTecStateDict } from './tec-state-dict-checks.js';

/** Tolerances that the specification suggests for these cases. */
const OUTPUT = 2e-5;
const LOSS = 1e-5;
const GRADIENT = 1e-4;

/** Predictions are held to the tolerance itself, intermediate values to that share of their largest entry where it exceeds 1. */
const scaleOf = (name: string, { data }: HostTensor): number =>
  name === 'output.feature_pred' ? 1 : Array.from(data).reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);

/** One forward and backward pass of the official TEC. */
function describeTec(golden: Golden, { create }: AvailableEngine): void {
  const run = tecRun(golden);
  const variants = [run, tecRun(golden, 'all')];
  const inputs = stepInputs(tensorOf(golden, 'input.images'), tensorOf(golden, 'input.noise'), run);
  const gridRows = inputs['plan.gridRows']?.data as Int32Array;
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, run.params, run.specs);
  });
  afterAll(() => {
    engine.dispose();
  });
  const outputsOf = (definition: StepDefinition, names: readonly string[]): Promise<StepOutcome> => runOnce(engine, definition, inputs, names);

  it('masks the tokens that the noise says, and restores their order', () => {
    const mask = tensorOf(golden, 'output.mask');
    const restore = tensorOf(golden, 'output.ids_restore');
    plansFromNoise(tensorOf(golden, 'input.noise'), run.objective).forEach((plan, b) => {
      const order = [...plan.visible, ...plan.retained];
      expect([...entry(restore, b).data], `ids_restore of image ${b}`).toEqual(order.map((_, cell) => order.indexOf(cell)));
      expect([...entry(mask, b).data], `mask of image ${b}`).toEqual(order.map((_, cell) => (plan.visible.includes(cell) ? 0 : 1)));
    });
  });

  it.each(variants)('gives losses and every stored value, embedding $config.embedPatches patches', async (variant) => {
    const stored = Object.keys(golden.tensors).filter((name) => /^(teacher|output)\./.test(name) && !/param\.|loss|mask|ids_restore/.test(name));
    const { metrics, outputs } = await outputsOf(tecForward(variant), stored);
    for (const name of ['loss', 'loss_fea', 'loss_att']) {
      const reference = golden.tensors[`output.${name}`];
      if (reference !== undefined) expect(Math.abs((metrics[name] as number) - (reference.data[0] as number)), `gap of ${name}`).toBeLessThanOrEqual(LOSS);
    }
    for (const name of stored) {
      const reference = tensorOf(golden, name);
      const actual = outputs[name] as HostTensor;
      if (name === 'teacher.topk_index') expect([...actual.data], name).toEqual([...reference.data]);
      else if (name === 'teacher.attention_logits') expectNear(name, asStored(actual), reference, OUTPUT);
      else if (name === 'output.attention_logits') expectNear(name, asStored(actual, gridRows), reference, OUTPUT);
      else expectNear(name, name === 'output.feature_pred' ? toRaster(actual, gridRows, 0) : actual, reference, OUTPUT * scaleOf(name, reference));
    }
  });

  it.each(variants)('gives every gradient and none of the teacher, embedding $config.embedPatches patches', async (variant) => {
    const { outputs } = await outputsOf(gradientStep(variant), run.trainable);
    expectGradients(outputs, golden, run, GRADIENT);
  });
}

const available = engines();

describeGolden('tec', /\.safetensors$|^state-dict.*\.json$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    if (file.path.endsWith('.json')) {
      describeTecStateDict(await loadJson(file.path));
      return;
    }
    const golden = await loadGolden(file);
    describe.each(available)('on the $name engine', (engine) => {
      describeTec(golden, engine);
    });
  });
});
