import type { NamedHostTensors, NamedTensors, ParamSpecs } from '@mimlab/core';
import type { Engine, ParamUpdate, StepDefinition } from '@mimlab/engine';
import { createSchedule, parameterState, parameterUpdates, TrainConfig } from '@mimlab/train';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectNear } from './closeness.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix } from './golden-cases.js';

const Case = z.object({
  optimizer: z.object({
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    weight_decay: z.number(),
    decay: z.array(z.string()),
    no_decay: z.array(z.string()),
  }),
  schedule: z.object({ base_lr: z.number(), min_lr: z.number(), warmup_epochs: z.number(), epochs: z.number(), iters_per_epoch: z.number() }),
  steps: z.array(z.object({ step: z.number(), epoch_float: z.number(), lr: z.number() })).min(1),
  suggested_tolerance: z.object({ abs: z.number() }),
});

/** Where the fixture keeps what the engine calls `adamw.m/...` and `adamw.v/...`. */
const MOMENTS = { 'adamw.m': 'exp_avg', 'adamw.v': 'exp_avg_sq' } as const;

/** A step whose gradients are its inputs: the loss is the sum of parameters times given gradients. */
function givenGradients(updates: Readonly<Record<string, ParamUpdate>>): StepDefinition {
  const names = Object.keys(updates);
  const compute = (state: NamedTensors, inputs: NamedTensors): { loss: tf.Scalar } => {
    const products = names.map((name) => tf.sum(tf.mul(state[name] as tf.Tensor, inputs[`grad.${name}`] as tf.Tensor)));
    return { loss: products.reduce((sum, product) => tf.add(sum, product)) as tf.Scalar };
  };
  return { name: 'given gradients', state: names, compute, optimize: { updates } };
}

const available = await engines();

describeGolden('adamw', /\.safetensors$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const golden = await loadGolden(file);
    const { optimizer, schedule, steps, suggested_tolerance: tolerance } = Case.parse(golden.json);
    const config = TrainConfig.parse({ betas: optimizer.betas, eps: optimizer.eps, weightDecay: optimizer.weight_decay });
    const specs: ParamSpecs = Object.fromEntries(
      Object.entries(withoutPrefix(golden.tensors, 'param.')).map(([name, { shape, data }]) => [
        name,
        // The update is elementwise, so the layout of the file serves in memory too.
        { shape, trainable: true, layout: { kind: 'same' }, init: () => Float32Array.from(data) },
      ]),
    );

    it('puts the same parameters under weight decay', () => {
      const updates = Object.entries(parameterUpdates(specs, config));
      expect(updates.filter(([, { decay }]) => decay > 0).map(([name]) => name).sort()).toEqual([...optimizer.decay].sort());
      expect(updates.filter(([, { decay }]) => decay === 0).map(([name]) => name).sort()).toEqual([...optimizer.no_decay].sort());
    });

    it('has the same learning rates', () => {
      const { base_lr: lr, min_lr: minLr, warmup_epochs: warmupEpochs, epochs, iters_per_epoch: iterationsPerEpoch } = schedule;
      const rate = createSchedule({ kind: 'mae', lr, minLr, warmupEpochs, epochs, iterationsPerEpoch });
      for (const step of steps) {
        const iteration = Math.round(step.epoch_float * iterationsPerEpoch);
        expect(rate(Math.floor(iteration / iterationsPerEpoch), iteration % iterationsPerEpoch) / step.lr, `step ${step.step}`).toBeCloseTo(1, 12);
      }
    });

    describe.each(available)('on the $name engine', ({ create }) => {
      let engine: Engine;
      beforeAll(async () => {
        engine = await create();
      });
      afterAll(() => {
        engine.dispose();
      });

      it(`has the same parameters and moments after each of ${steps.length} steps`, async () => {
        await engine.define(parameterState(specs, 0));
        // Decay as the case lists it: the arithmetic is compared whatever rule chose the parameters.
        const updates = Object.entries(parameterUpdates(specs, config)).map(([name, update]) => [name, { ...update, decay: optimizer.decay.includes(name) ? optimizer.weight_decay : 0 }]);
        const step = engine.compile(givenGradients(Object.fromEntries(updates) as Record<string, ParamUpdate>));
        for (const { step: update, lr } of steps) {
          const inputs: NamedHostTensors = withoutPrefix(golden.tensors, `step${update}.`);
          await step.run(Object.fromEntries(Object.entries(inputs).filter(([name]) => name.startsWith('grad.'))), { lr, update });
          for (const name of Object.keys(specs)) {
            const expected = { [name]: `param.${name}`, ...Object.fromEntries(Object.entries(MOMENTS).map(([slot, official]) => [`${slot}/${name}`, `${official}.${name}`])) };
            const actual = await engine.read(Object.keys(expected));
            for (const [ours, theirs] of Object.entries(expected)) {
              expectNear(`${ours} after step ${update}`, actual[ours] as NonNullable<(typeof actual)[string]>, tensorOf(golden, `step${update}.${theirs}`), tolerance.abs);
            }
          }
        }
        step.dispose();
      });
    });
  });
});
