import type { HostTensor } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { LATENT, PATCHES, PIXELS } from '@mimlab/nn';
import type { GreenMimConfig } from '@mimlab/plugin-greenmim';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectClose } from './closeness.js';
import { runOnce, type AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { CaseConfig, greenRun, planFromNoise, stepInputs, type GreenRun } from './greenmim-case.js';
import { batchOf, defineParams } from './mae-case.js';
import { gradientStep, toRaster } from './mae-steps.js';

/** Suggested with the cases (GreenMIM specification, section 9), relative to the largest magnitude of each tensor. */
const LOSS = 1e-5;
const OUTPUTS = 5e-5;
const GRADIENTS = 2e-4;

const forwardStep = (run: GreenRun): StepDefinition => ({
  name: 'parity.greenmim',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const outcome = run.objective.evaluate(batchOf(inputs, run), state, true);
    return { loss: outcome.loss, outputs: { features: outcome.features[LATENT] as Tensor, pred: outcome.predictions[PIXELS]?.values[PATCHES] as Tensor } };
  },
});

export type Variant = Pick<GreenMimConfig, 'visibleOrder' | 'grouping' | 'embedPatches'>;

/**
 * One forward and backward pass of the released GreenMIM.
 * @param source holds parameters and inputs @param expected holds outputs and gradients; often the same file
 */
export function describeGreenMim(source: Golden, expected: Golden, { create }: AvailableEngine, variant: Variant): void {
  const run = greenRun(CaseConfig.parse(JSON.parse(source.metadata['config'] ?? '{}')), variant);
  const noise = tensorOf(source, 'input.noise');
  const plan = planFromNoise(noise, run);
  const inputs = stepInputs(tensorOf(source, 'input.images'), plan);
  const params = withoutPrefix(source.tensors, 'param.');
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, params, run.specs);
  });
  afterAll(() => {
    engine.dispose();
  });
  const outputsOf = (definition: StepDefinition, names: readonly string[]): Promise<StepOutcome> => runOnce(engine, definition, inputs, names);

  it('has the parameters of the case', () => {
    expect(Object.keys(run.specs).sort()).toEqual(Object.keys(params).sort());
  });

  it('masks the cells that the noise says', () => {
    const shown = new Set(plan.visible);
    expect([...tensorOf(source, 'input.mask').data]).toEqual(Array.from(noise.data, (_, cell) => (shown.has(cell) ? 0 : 1)));
  });

  it('gives loss, features and predictions', async () => {
    const { metrics, outputs } = await outputsOf(forwardStep(run), ['features', 'pred']);
    const loss = tensorOf(expected, 'output.loss').data[0] as number;
    expect(Math.abs((metrics['loss'] as number) - loss) / loss, 'relative gap of the loss').toBeLessThanOrEqual(LOSS);
    expectClose('features', outputs['features'] as HostTensor, tensorOf(source, 'output.features'), OUTPUTS);
    expectClose('pred', toRaster(outputs['pred'] as HostTensor, inputs['plan.gridRows']?.data as Int32Array, 0), tensorOf(expected, 'output.pred'), OUTPUTS);
  });

  it('gives every gradient', async () => {
    const { outputs } = await outputsOf(gradientStep(run), run.trainable);
    expectGradients(outputs, expected, run, GRADIENTS);
  });
}
