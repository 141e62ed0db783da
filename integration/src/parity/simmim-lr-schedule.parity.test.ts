import { createSchedule, type Schedule } from '@mimlab/train';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const Recipe = { name: z.string(), epochs: z.number(), warmup_epochs: z.number(), iters_per_epoch: z.int(), min_lr: z.number() };

/** Rates that the official scheduler gives when it is called with `t`, which then drive the update `t + 1`; one a group. */
const Case = z.object({
  ...Recipe,
  base_lr: z.number(),
  warmup_lr: z.number(),
  group_scales: z.array(z.number()).min(1),
  multisteps: z.array(z.number()),
  gamma: z.number(),
  lr_before_any_update: z.array(z.number()),
  rows: z.array(z.object({ t: z.int(), lr: z.array(z.number()) })).min(1),
});
const GreenCase = z.object({ ...Recipe, lr: z.number(), rows: z.array(z.object({ iter: z.int(), lr: z.number() })).min(1) });
const File = z.object({ cases: z.array(Case).min(1), greenmim: z.array(GreenCase).default([]) });

/** Both sides work in double precision; near the end of the cosine they subtract nearly equal numbers. */
const expectRate = (place: string, actual: number, expected: number, peak: number): void => {
  expect(Math.abs(actual - expected), place).toBeLessThanOrEqual(1e-10 * peak);
};
const at = (schedule: Schedule, iteration: number, perEpoch: number): number => schedule(Math.floor(iteration / perEpoch), iteration % perEpoch);

describeGolden('simmim-lr-schedule', /\.json$/, (files) => {
  describe.each(files)('$name', async ({ path }) => {
    const { cases, greenmim } = File.parse(await loadJson(path));

    it.each(cases)('$name: the rate of every group in every update', (recipe) => {
      const { base_lr, warmup_lr, min_lr, warmup_epochs, epochs, iters_per_epoch, group_scales, multisteps, gamma } = recipe;
      group_scales.forEach((scale, group) => {
        const lr = base_lr * scale;
        const steps = multisteps.length > 0 ? ({ kind: 'simmim-step', milestones: multisteps, stepFactor: gamma } as const) : ({ kind: 'simmim-cosine' } as const);
        // First rate and floor are the same for all groups: only the peak is scaled.
        const schedule = createSchedule({ ...steps, lr, minLr: min_lr, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: iters_per_epoch, warmupStartFactor: warmup_lr / lr });
        expectRate(`group ${group} before any update`, schedule(0, 0), recipe.lr_before_any_update[group] as number, base_lr);
        for (const row of recipe.rows) expectRate(`group ${group}, t ${row.t}`, at(schedule, row.t + 1, iters_per_epoch), row.lr[group] as number, base_lr);
      });
    });

    it.each(greenmim)('GreenMIM, $name: the rate in every iteration', ({ lr, min_lr, warmup_epochs, epochs, iters_per_epoch, rows }) => {
      const schedule = createSchedule({ kind: 'mae', lr, minLr: min_lr, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: iters_per_epoch });
      for (const row of rows) expectRate(`iteration ${row.iter}`, at(schedule, row.iter, iters_per_epoch), row.lr, lr);
    });
  });
});
