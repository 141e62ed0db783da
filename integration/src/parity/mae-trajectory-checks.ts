import { toFileLayout, type HostTensor } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { expectNear, isKeyBias } from './closeness.js';
import type { AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { adamwUpdates, CaseConfig, defineParams, entry, maeRun, specOf, stepInputs } from './mae-case.js';
import { forwardStep } from './mae-steps.js';

const TrajectoryCase = z.object({
  config: CaseConfig,
  train: z.object({
    weight_decay: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    loader_len: z.int(),
    accum_iter: z.int().default(1),
  }),
  log: z.array(z.object({ iter: z.int(), lr: z.number(), loss: z.number(), grad_norm: z.number() })),
  suggested_tolerance: z.object({ loss_rel: z.number() }),
});

const FINAL_PARAMS = 2e-4;
/** PyTorch's default; the cases do not list it. */
const EPSILON = 1e-8;

/** Consecutive optimizer steps from the official initialisation, with the logged learning rates. */
export function describeMaeTrajectory(golden: Golden, { create }: AvailableEngine): void {
  const { config, train, log, suggested_tolerance: tolerance } = TrajectoryCase.parse(golden.json);
  const run = maeRun(config);
  const accumulate = train.accum_iter;
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
  });
  afterAll(() => {
    engine.dispose();
  });

  it(`follows the losses of ${log.length} iterations and ends at the same weights`, async () => {
    // Official groups: one-dimensional parameters and biases do not decay.
    const decayOf = (name: string): number => (specOf(run, name).shape.length > 1 && !name.endsWith('.bias') ? train.weight_decay : 0);
    const updates = adamwUpdates(run, { betas: train.betas, eps: EPSILON }, decayOf);
    const training = engine.compile({ ...forwardStep(run), name: 'parity.trajectory', optimize: { updates, accumulate } });
    const evaluation = engine.compile(forwardStep(run));
    // Micro-batches left over at the end of an epoch never reach the weights.
    const used = Math.floor(train.loader_len / accumulate) * accumulate;
    const images = tensorOf(golden, 'input.images');
    const noise = tensorOf(golden, 'input.noise');
    let update = 1;
    let lrOfUpdate = 0;
    for (const [k, { iter, lr, loss, grad_norm }] of log.entries()) {
      const inputs = stepInputs(entry(images, iter), entry(noise, k), run);
      if (iter % accumulate === 0) lrOfUpdate = lr;
      const apply = (iter + 1) % accumulate === 0;
      const { metrics } =
        iter < used ? await training.run(inputs, { lr: lrOfUpdate, update, phase: apply ? 'apply' : 'accumulate' }) : await evaluation.run(inputs);
      if (iter < used && apply) update++;
      expect(Math.abs((metrics['loss'] as number) - loss) / loss, `relative gap of the loss of iteration ${k}`).toBeLessThanOrEqual(tolerance.loss_rel);
      if (accumulate === 1) expect(Math.abs((metrics['gradNorm'] as number) - grad_norm) / grad_norm, `gradient norm of iteration ${k}`).toBeLessThanOrEqual(1e-2);
    }
    training.dispose();
    evaluation.dispose();
    const after = await engine.read(run.trainable);
    for (const name of run.trainable) {
      const reference = tensorOf(golden, `final.${name}`);
      const actual = toFileLayout(specOf(run, name).layout, after[name] as HostTensor);
      expectNear(`final.${name}`, actual, reference, FINAL_PARAMS, (i) => !isKeyBias(name, reference.data.length, i));
    }
  });
}
