import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import { RESULTS_FILE } from '@mimlab/evaluate';
import { readMetrics, runPaths, type MetricsRow } from '@mimlab/train';
import { z } from 'zod';
import { meanLoss } from '../run/mean-loss.js';
import type { EvaluationOutcome, ExperimentOutcome, PretrainOutcome } from './experiment.js';
import type { PlannedExperiment } from './plan-jobs.js';

/** The part of results.json that a grid reads. */
const Results = z.object({
  accuracy: z.number(),
  interval: z.object({ low: z.number(), high: z.number() }),
  samples: z.number(),
  seconds: z.number(),
});

/** The numbers of an experiment whose jobs are finished. @throws CheckpointError naming a file that cannot be read */
export async function readOutcome({ experiment, folder, pretrain, evaluations }: PlannedExperiment): Promise<ExperimentOutcome> {
  const read = await Promise.all(evaluations.map(async ({ plan, job }): Promise<[string, EvaluationOutcome]> => [plan.name, await readEvaluation(job.folder)]));
  return { experiment, evaluations: Object.fromEntries(read), ...(pretrain === undefined ? {} : { pretrain: await readPretrain(folder) }) };
}

async function readEvaluation(folder: string): Promise<EvaluationOutcome> {
  const place = join(folder, RESULTS_FILE);
  try {
    return { ...Results.parse(JSON.parse(await readFile(place, 'utf8'))), folder };
  } catch (cause) {
    throw new CheckpointError('cannot be read as the results of an evaluation', { place, cause, remedy: 'Delete the folder; it is evaluated again.' });
  }
}

async function readPretrain(folder: string): Promise<PretrainOutcome> {
  const rows = await readMetrics(runPaths(folder).metrics);
  const last = rows.at(-1);
  if (last === undefined) throw new CheckpointError('has no rows', { place: runPaths(folder).metrics, remedy: 'Delete the folder of the run; it is trained again.' });
  return { folder, updates: last.step, loss: meanLoss(rows, 'last'), seconds: totalSeconds(rows) };
}

/** `seconds` of a row are those since the row before. */
const totalSeconds = (rows: readonly MetricsRow[]): number => rows.reduce((sum, { seconds }) => sum + seconds.data + seconds.step, 0);
