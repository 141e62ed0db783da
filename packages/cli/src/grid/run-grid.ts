import { join } from 'node:path';
import { ConfigError, MimlabError } from '@mimlab/core';
import { ensureFolder } from '@mimlab/train';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { Launch } from './child-job.js';
import type { Experiment, ExperimentOutcome } from './experiment.js';
import { jobsOf, planExperiment, type PlannedExperiment } from './plan-jobs.js';
import { readOutcome } from './read-outcome.js';
import { runJobs, type GridRecord } from './run-jobs.js';

/** How a grid runs; the experiments say what. */
export interface GridOptions {
  /** Folder of all runs, their evaluations and the logs. */
  readonly store: string;
  /** Processes that run at once. */
  readonly processes: number;
  /** Threads of each. */
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly report: (record: GridRecord) => void;
  readonly launch?: Launch;
}

/** An experiment whose numbers are all there, with what it was made of. */
export interface GridRow {
  readonly outcome: ExperimentOutcome;
  readonly context: RunContext;
}

/** Loads the configuration of every experiment, so that a mistake in the last one is told before the first one runs. */
export async function planGrid(experiments: readonly Experiment[], { store, threads }: Pick<GridOptions, 'store' | 'threads'>): Promise<PlannedExperiment[]> {
  const planned: PlannedExperiment[] = [];
  const problems: string[] = [];
  for (const experiment of experiments) {
    try {
      planned.push(planExperiment(experiment, await loadRunContext(experiment.config, experiment.set), store, threads));
    } catch (error) {
      if (!(error instanceof MimlabError)) throw error;
      problems.push(`${experiment.id}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return planned;
}

/**
 * Runs whatever of the experiments is not done yet and reads all their numbers. What is done is found again by what it was made
 * from, so grids that overlap share runs, and a grid that was stopped or killed goes on.
 * @returns undefined if the signal asked to stop
 * @throws ConfigError with the mistakes of all experiments; MimlabError naming a job that failed
 */
export async function runGrid(experiments: readonly Experiment[], options: GridOptions): Promise<GridRow[] | undefined> {
  const planned = await planGrid(experiments, options);
  await ensureFolder(options.store);
  const done = await runJobs({ ...options, jobs: jobsOf(planned), logs: join(options.store, 'logs') });
  if (!done) return undefined;
  return Promise.all(planned.map(async (one) => ({ outcome: await readOutcome(one), context: one.context })));
}
