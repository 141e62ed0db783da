import { toFileLayout, type HostTensor } from '@mimlab/core';
import type { Engine, StepOutcome } from '@mimlab/engine';
import { linearHeadParams, linearHeadStep, linearScoringStep, softTargets } from '@mimlab/evaluate';
import { createSchedule } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectClose } from './closeness.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { defineParams } from './mae-case.js';

const LinProbe = z.object({
  config: z.object({ dim: z.int(), classes: z.int() }),
  optimizer: z.object({ momentum: z.number(), weight_decay: z.number(), trust_coefficient: z.number() }),
  schedule: z.object({ base_lr: z.number(), min_lr: z.number(), warmup_epochs: z.number(), epochs: z.number(), iters_per_epoch: z.int(), first_iteration: z.int() }),
  steps: z.array(z.object({ step: z.int(), lr: z.number(), loss: z.number() })).min(1),
  suggested_tolerance: z.object({ rel_to_max: z.number() }),
});

describeGolden('linprobe', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', (which) => {
    describe.each(engines())('on $name', ({ create }) => {
      let engine: Engine;
      let golden: Golden;
      let json: z.infer<typeof LinProbe>;
      const states: Record<string, HostTensor>[] = [];
      const outcomes: StepOutcome[] = [];
      let specs: ReturnType<typeof linearHeadParams>;

      beforeAll(async () => {
        golden = await loadGolden(which);
        json = LinProbe.parse(golden.json);
        const { config, optimizer, steps } = json;
        specs = linearHeadParams(config.dim, config.classes);
        engine = await create();
        await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), specs);
        const update = { rule: { kind: 'lars', momentum: optimizer.momentum, trust: optimizer.trust_coefficient }, decay: optimizer.weight_decay, lrScale: 1 } as const;
        const learning = Object.keys(specs).filter((name) => specs[name]?.trainable);
        const step = engine.compile(linearHeadStep(specs, { updates: Object.fromEntries(learning.map((name) => [name, update])) }));
        for (const [index, { step: number, lr }] of steps.entries()) {
          const labels = tensorOf(golden, `step${number}.input.labels`).data as Int32Array;
          const inputs = { features: tensorOf(golden, `step${number}.input.features`), targets: softTargets(labels, config.classes, 0) };
          outcomes.push(await step.run(inputs, { lr, update: index + 1, outputs: ['normalized', 'logits'] }));
          states.push(await engine.read(engine.stateNames()));
        }
        step.dispose();
      });
      afterAll(() => {
        engine.dispose();
      });

      const eachStep = (compare: (number: number, index: number) => void): void => {
        json.steps.forEach(({ step }, index) => {
          compare(step, index);
        });
      };
      const close = (name: string, actual: HostTensor | undefined, reference: string): void =>
        expectClose(name, actual as HostTensor, tensorOf(golden, reference), json.suggested_tolerance.rel_to_max);

      it('has the learning rates of the official schedule', () => {
        const { base_lr, min_lr, warmup_epochs, epochs, iters_per_epoch, first_iteration } = json.schedule;
        const schedule = createSchedule({ kind: 'mae', lr: base_lr, minLr: min_lr, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: iters_per_epoch });
        json.steps.forEach(({ lr }, index) => {
          const iteration = first_iteration + index;
          expect(schedule(Math.floor(iteration / iters_per_epoch), iteration % iters_per_epoch) / lr).toBeCloseTo(1, 12);
        });
      });

      it('gives normalised features, scores and losses', () => {
        eachStep((number, index) => {
          const { metrics, outputs } = outcomes[index] as StepOutcome;
          close(`step ${number}: features`, outputs['normalized'], `step${number}.output.bn`);
          close(`step ${number}: scores`, outputs['logits'], `step${number}.output.logits`);
          expect((metrics['loss'] as number) / (json.steps[index]?.loss as number)).toBeCloseTo(1, 5);
        });
      });

      it('gives weights and momenta', () => {
        eachStep((number, index) => {
          for (const [name, { layout, trainable }] of Object.entries(specs)) {
            if (!trainable) continue;
            const inFile = (state: string): HostTensor => toFileLayout(layout, states[index]?.[state] as HostTensor);
            close(`step ${number}: ${name}`, inFile(name), `step${number}.lars.${name}`);
            close(`step ${number}: momentum of ${name}`, inFile(`lars.mu/${name}`), `step${number}.mu.${name}`);
          }
        });
      });

      it('gives running statistics', () => {
        eachStep((number, index) => {
          for (const statistic of ['running_mean', 'running_var']) close(`step ${number}: ${statistic}`, states[index]?.[`head.0.${statistic}`], `step${number}.bn.${statistic}`);
        });
      });

      it('scores by the running statistics in evaluation', async () => {
        const { outputs } = await engine.compile(linearScoringStep(specs)).run({ features: tensorOf(golden, 'eval.input.features') }, { outputs: ['logits'] });
        close('scores', outputs['logits'], 'eval.output.logits');
      });
    });
  });
});
