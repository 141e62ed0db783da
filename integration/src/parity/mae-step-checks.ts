import { toFileLayout, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { expectClose, expectNear } from './closeness.js';
import { runOnce, type AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { adamwUpdates, CaseConfig, defineParams, entry, maeRun, plansFromNoise, specOf, stepInputs, toMemory } from './mae-case.js';
import { forwardStep, gradientStep, linearLoss, tapStep, toRaster } from './mae-steps.js';

const StepCase = z.object({
  config: CaseConfig,
  optimizer: z.object({
    lr: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    weight_decay: z.number(),
    decay: z.array(z.string()),
  }),
  suggested_tolerance: z.object({ loss_rel: z.number(), outputs_rel_to_max: z.number(), grads_rel_to_max: z.number() }),
});

/** Absolute tolerance that the cases state in words. */
const ADAMW = 2e-6;

/** MAE, or a relative whose cases are of the same form: how a run is made of a case, and its intermediate values. */
export interface MaeRelative {
  readonly run: typeof maeRun;
  readonly taps: typeof tapStep;
}

/** One forward and backward pass and one AdamW step of the official MAE. */
export function describeMaeStep(golden: Golden, { create }: AvailableEngine, method: MaeRelative = { run: maeRun, taps: tapStep }): void {
  const { config, optimizer, suggested_tolerance: tolerance } = StepCase.parse(golden.json);
  const run = method.run(config);
  const variants = [run, method.run(config, 'all')];
  const params = withoutPrefix(golden.tensors, 'param.');
  const gradients = withoutPrefix(golden.tensors, 'grad.');
  const inputs = stepInputs(tensorOf(golden, 'input.images'), tensorOf(golden, 'input.noise'), run);
  const gridRows = inputs['plan.gridRows']?.data as Int32Array;
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, params, run.specs);
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

  it.each(variants)('gives loss, latent, targets and predictions, embedding $config.embedPatches patches', async (variant) => {
    const { metrics, outputs } = await outputsOf(forwardStep(variant), ['pred', 'target', 'latent']);
    const loss = tensorOf(golden, 'output.loss').data[0] as number;
    expect(Math.abs((metrics['loss'] as number) - loss) / loss, 'relative gap of the loss').toBeLessThanOrEqual(tolerance.loss_rel);
    expectClose('pred', toRaster(outputs['pred'] as HostTensor, gridRows, 0), tensorOf(golden, 'output.pred'), tolerance.outputs_rel_to_max);
    expectClose('target', outputs['target'] as HostTensor, tensorOf(golden, 'output.target'), tolerance.outputs_rel_to_max);
    expectClose('latent', outputs['latent'] as HostTensor, tensorOf(golden, 'output.latent'), tolerance.outputs_rel_to_max);
  });

  it('gives every stored intermediate value', async () => {
    const stored = withoutPrefix(golden.tensors, 'tap.');
    const names = Object.keys(stored);
    const { outputs } = await outputsOf(method.taps(run), names);
    for (const name of names) {
      const tap = outputs[name] as HostTensor;
      const wholeGrid = name === 'decoder_in' || name.startsWith('decoder_block.');
      expectClose(`tap.${name}`, wholeGrid ? toRaster(tap, gridRows, 1) : tap, stored[name] as HostTensor, tolerance.outputs_rel_to_max);
    }
  });

  it.each(variants)('gives every gradient, embedding $config.embedPatches patches', async (variant) => {
    const { outputs } = await outputsOf(gradientStep(variant), run.trainable);
    expectGradients(outputs, golden, run, tolerance.grads_rel_to_max);
  });

  /** One update from no moments, on an engine of its own; compared where `counts`. */
  const checkUpdate = async (step: Pick<StepDefinition, 'state' | 'compute'>, fed: NamedHostTensors, counts: (gradient: number) => boolean): Promise<void> => {
    const fresh = await create();
    try {
      await defineParams(fresh, params, run.specs);
      const decay = new Set(optimizer.decay);
      const updates = adamwUpdates(run, optimizer, (name) => (decay.has(name) ? optimizer.weight_decay : 0));
      const training = fresh.compile({ name: 'parity.update', state: step.state, compute: step.compute, optimize: { updates } });
      await training.run(fed, { lr: optimizer.lr, update: 1 });
      training.dispose();
      const after = await fresh.read(run.trainable);
      for (const name of run.trainable) {
        const actual = toFileLayout(specOf(run, name).layout, after[name] as HostTensor);
        const { data } = gradients[name] as HostTensor;
        expectNear(`${name} after the update`, actual, tensorOf(golden, `adamw.${name}`), ADAMW, (i) => counts(data[i] as number));
      }
    } finally {
      fresh.dispose();
    }
  };

  it('makes the stored AdamW step from the stored gradients', async () => {
    const fed = Object.entries(toMemory(gradients, run.specs)).map(([name, tensor]) => [`grad/${name}`, tensor] as const);
    await checkUpdate(linearLoss(run), Object.fromEntries(fed), () => true);
  });

  it('makes the stored AdamW step from its own gradients, where they are no rounding noise', async () => {
    await checkUpdate(forwardStep(run), inputs, (gradient) => Math.abs(gradient) > 1e-5);
  });
}
