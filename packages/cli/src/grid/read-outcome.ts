import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import { RESULTS_FILE } from '@mimlab/evaluate';
import { readMetrics, runPaths, type MetricsRow } from '@mimlab/train';
import { z } from 'zod';
import { readJsonFile } from '../json-file.js';
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

/** The numbers of an experiment whose jobs are finished. @throws DataError, CheckpointError naming a file that cannot be read */
export async function readOutcome({ experiment, folder, pretrain, evaluations }: PlannedExperiment): Promise<ExperimentOutcome> {
  const read = await Promise.all(evaluations.map(async ({ plan, job }): Promise<[string, EvaluationOutcome]> => [plan.name, await readEvaluation(job.folder)]));
  return { experiment, evaluations: Object.fromEntries(read), ...(pretrain === undefined ? {} : { pretrain: await readPretrain(folder) }) };
}

const readEvaluation = async (folder: string): Promise<EvaluationOutcome> => ({ ...(await readJsonFile(join(folder, RESULTS_FILE), Results, 'Delete the folder; it is evaluated again.')), folder });

async function readPretrain(folder: string): Promise<PretrainOutcome> {
  const rows = await readMetrics(runPaths(folder).metrics);
  const last = rows.at(-1);
  if (last === undefined) throw new CheckpointError('has no rows', { place: runPaths(folder).metrics, remedy: 'Delete the folder of the run; it is trained again.' });
  return { folder, updates: last.step, loss: meanLoss(rows, 'last'), seconds: totalSeconds(rows) };
}

/** `seconds` of a row are those since the row before. */
const totalSeconds = (rows: readonly MetricsRow[]): number => rows.reduce((sum, { seconds }) => sum + seconds.data + seconds.step, 0);
