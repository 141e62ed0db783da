import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ensureFolder, writeFileAtomically } from '@mimlab/train';
import { z } from 'zod';
import { compareSteps, type ComparedSteps } from '../cost/measure-steps.js';
import { readJsonFile } from '../json-file.js';
import type { RunContext } from '../run/run-context.js';

/** Measured cost of one step beside its reference. */
export interface StepCost {
  /** Median over the rounds. */
  readonly seconds: number;
  /** Over the reference: median, least and greatest of the rounds' own ratios. */
  readonly timeRatio: { readonly median: number; readonly low: number; readonly high: number };
  /** Most bytes that the step's own allocations held at once, from TensorFlow's record of a run. */
  readonly peakBytes: number;
  readonly peakRatio: number;
}

const Stored = z
  .object({ seconds: z.array(z.number()).min(1), referenceSeconds: z.array(z.number()).min(1), peakBytes: z.number(), referencePeakBytes: z.number() })
  .refine(({ seconds, referenceSeconds }) => seconds.length === referenceSeconds.length, { path: ['referenceSeconds'], error: 'has another number of rounds than seconds' });

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

/** What a step's cost follows from: not from seeds or schedules. The processor tells machines apart. */
function costName(one: RunContext, reference: RunContext): string {
  const parts = [one, reference].map(({ config: { method, hooks, wrap, data, train, engine } }) => ({ method, hooks, wrap, size: data.size, channels: data.channels, dataset: data.dataset, batch: train.batch, accumulate: train.accumulate, engine }));
  return createHash('sha256').update(JSON.stringify([parts, cpus()[0]?.model ?? ''])).digest('hex').slice(0, 16);
}

/**
 * Measures the step of each context beside the reference's, or reads what was measured on this kind of processor before.
 * @param folder of the measurements
 */
export async function measureCost(one: RunContext, reference: RunContext, folder: string, measure: typeof compareSteps = compareSteps): Promise<StepCost> {
  const place = join(folder, `${costName(one, reference)}.json`);
  if (existsSync(place)) return costOf(await readJsonFile(place, Stored, 'Delete the file; the step is measured again.'));
  const compared = await measure(one, reference);
  await ensureFolder(folder);
  await writeFileAtomically(place, `${JSON.stringify(compared)}\n`);
  return costOf(compared);
}

/** Medians and ratios of two steps that ran in turn. */
export function costOf({ seconds, referenceSeconds, peakBytes, referencePeakBytes }: ComparedSteps): StepCost {
  const ratios = seconds.map((value, round) => value / (referenceSeconds[round] as number));
  return {
    seconds: median(seconds),
    timeRatio: { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) },
    peakBytes,
    peakRatio: peakBytes / referencePeakBytes,
  };
}
