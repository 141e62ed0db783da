import { createSchedule } from '@mimlab/train';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const Recipe = { base_lr: z.number(), warmup_epochs: z.number(), epochs: z.number() };

/** The official MAE schedule at (epoch, iteration); a column `lr_of_group_with_scale_0_5` holds the rate of a group with that scale. */
const MaeFile = z.object({
  schedules: z.record(
    z.string(),
    z.object({
      ...Recipe,
      min_lr: z.number(),
      iters_per_epoch: z.number(),
      values: z.array(z.object({ epoch: z.number(), iter: z.number(), lr: z.number() }).catchall(z.number())).min(1),
    }),
  ),
  accumulation: z
    .object({
      ...Recipe,
      min_lr: z.number(),
      loader_len: z.number(),
      accum_iter: z.number(),
      epoch: z.number(),
      per_iteration: z.array(z.object({ iter: z.number(), lr: z.number(), optimizer_step: z.boolean() })).min(1),
    })
    .optional(),
});

/** mmengine's schedule at the global iteration. */
const MmengineFile = z.object({
  schedules: z.record(
    z.string(),
    z.object({
      ...Recipe,
      start_factor: z.number(),
      eta_min: z.number(),
      iters_per_epoch: z.number(),
      values: z.array(z.object({ global_iter: z.number(), lr: z.number() })).min(1),
    }),
  ),
});

/** Both sides work in double precision; near the end of the cosine they subtract nearly equal numbers. */
function expectRate(place: string, actual: number, expected: number, peak: number): void {
  expect(Math.abs(actual - expected), place).toBeLessThanOrEqual(1e-10 * peak);
}

function describeMae(file: z.infer<typeof MaeFile>): void {
  it.each(Object.entries(file.schedules))('%s: the official rate at every point, scaled groups included', (_, schedule) => {
    const rate = createSchedule({
      kind: 'mae',
      lr: schedule.base_lr,
      minLr: schedule.min_lr,
      warmupEpochs: schedule.warmup_epochs,
      epochs: schedule.epochs,
      iterationsPerEpoch: schedule.iters_per_epoch,
    });
    for (const { epoch, iter, lr, ...columns } of schedule.values) {
      const actual = rate(epoch, iter);
      expectRate(`epoch ${epoch}, iteration ${iter}`, actual, lr, schedule.base_lr);
      for (const [column, expected] of Object.entries(columns)) {
        const scale = /^lr_of_group_with_scale_(\d+)_(\d+)$/.exec(column);
        if (scale !== null) expectRate(`epoch ${epoch}, iteration ${iter}, ${column}`, actual * Number(`${scale[1]}.${scale[2]}`), expected, schedule.base_lr);
      }
    }
  });

  const { accumulation } = file;
  it.skipIf(accumulation === undefined)('accumulation: one rate for all micro-batches of an update', () => {
    const { base_lr, min_lr, warmup_epochs, epochs, loader_len, accum_iter, epoch, per_iteration } = accumulation as NonNullable<typeof accumulation>;
    const rate = createSchedule({ kind: 'mae', lr: base_lr, minLr: min_lr, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: loader_len, accumulate: accum_iter });
    for (const { iter, lr, optimizer_step } of per_iteration) {
      expectRate(`iteration ${iter}`, rate(epoch, iter), lr, base_lr);
      expect((iter + 1) % accum_iter === 0, `iteration ${iter} makes an update`).toBe(optimizer_step);
    }
  });
}

function describeMmengine(file: z.infer<typeof MmengineFile>): void {
  it.each(Object.entries(file.schedules))('%s: the rate in force at every iteration', (_, schedule) => {
    const { base_lr, start_factor, eta_min, warmup_epochs, epochs, iters_per_epoch } = schedule;
    const rate = createSchedule({ kind: 'mmengine', lr: base_lr, minLr: eta_min, warmupEpochs: warmup_epochs, epochs, iterationsPerEpoch: iters_per_epoch, warmupStartFactor: start_factor });
    for (const { global_iter, lr } of schedule.values) {
      expectRate(`iteration ${global_iter}`, rate(Math.floor(global_iter / iters_per_epoch), global_iter % iters_per_epoch), lr, base_lr);
    }
  });
}

describeGolden('lr-schedule', /\.json$/, (files) => {
  describe.each(files)('$name', async ({ path }) => {
    const json = await loadJson(path);
    const official = MaeFile.safeParse(json);
    if (official.success) describeMae(official.data);
    else describeMmengine(MmengineFile.parse(json));
  });
});
