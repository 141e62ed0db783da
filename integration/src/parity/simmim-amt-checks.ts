import { checkPlan, countsOf, stackPlans, type HostTensor } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { PATCHES, PIXELS } from '@mimlab/nn';
import { LATENT } from '@mimlab/plugin-simmim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sortedByCell } from './mae-amt-checks.js';
import { expectNear } from './closeness.js';
import { runOnce, type AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { batchOf, channelsLast, defineParams } from './mae-case.js';
import { gradientStep } from './mae-steps.js';
import { plansFromFlags, simmimAmtRun, type SimMimAmtRun } from './simmim-amt-case.js';
import { patchesOf, tokensOf } from './simmim-case.js';

/** Suggested with the cases. */
const LOSS = 1e-5;
const OUTPUTS = 2e-5;
const GRADIENTS = 1e-4;

const forwardStep = (run: SimMimAmtRun): StepDefinition => ({
  name: 'parity.simmim-amt',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const outcome = run.objective.evaluate(batchOf(inputs, run), state, true);
    const latent = outcome.features[LATENT] as Tensor3D;
    const [batch, tokens, width] = latent.shape;
    return { loss: outcome.loss, outputs: { kept: tf.slice(latent, [0, 1, 0], [batch, tokens - 1, width]), pred: outcome.predictions[PIXELS]?.values[PATCHES] as Tensor } };
  },
});

/** One forward and backward pass of the official SimMIM-AMT with given masks and throws, its loss repaired. */
export function describeSimMimAmt(golden: Golden, { create }: AvailableEngine): void {
  const run = simmimAmtRun(golden);
  const plans = plansFromFlags(golden, run);
  const inputs = { images: channelsLast(tensorOf(golden, 'input.images')), ...stackPlans(plans) };
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
  });
  afterAll(() => {
    engine.dispose();
  });
  const outputsOf = (definition: StepDefinition, names: readonly string[]): Promise<StepOutcome> => runOnce(engine, definition, inputs, names);

  it('masks, throws and shows as many whole units as the official code', () => {
    for (const plan of plans) {
      checkPlan(plan);
      expect(countsOf(plan)).toEqual(run.objective.sampler.counts(run.objective.grid));
    }
  });

  it('has the parameters of the case', () => {
    expect(Object.keys(run.specs).sort()).toEqual(Object.keys(withoutPrefix(golden.tensors, 'param.')).sort());
  });

  it('gives loss, kept tokens and their reconstruction', async () => {
    const { metrics, outputs } = await outputsOf(forwardStep(run), ['kept', 'pred']);
    expect(Math.abs((metrics['loss'] as number) - (tensorOf(golden, 'output.loss').data[0] as number)), 'gap of the loss').toBeLessThanOrEqual(LOSS);
    expectNear('encoder_kept', sortedByCell(outputs['kept'] as HostTensor, plans), tokensOf(tensorOf(golden, 'output.encoder_kept')), OUTPUTS);
    // The case holds the first kept patches of each image, laid side by side; its name says how many rows of pixels.
    const name = Object.keys(golden.tensors).find((key) => key.startsWith('output.reconstruction')) ?? 'output.reconstruction';
    const row = patchesOf(tensorOf(golden, name), run.patch);
    const [batch, across, values] = row.shape as [number, number, number];
    const pred = sortedByCell(outputs['pred'] as HostTensor, plans);
    const known = pred.shape[1] as number;
    const first = Float32Array.from(Array.from({ length: batch }, (_, b) => [...pred.data.subarray(b * known * values, (b * known + across) * values)]).flat());
    expectNear('reconstruction', { shape: row.shape, dtype: 'float32', data: first }, row, OUTPUTS);
  });

  it('gives every gradient, but none to the scale that the released code forgets', async () => {
    const { outputs } = await outputsOf(gradientStep(run), run.trainable);
    expectGradients(outputs, golden, run, GRADIENTS);
  });
}
