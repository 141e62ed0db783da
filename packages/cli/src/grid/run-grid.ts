import { join } from 'node:path';
import { ConfigError, MimlabError } from '@mimlab/core';
import { findProtocol, parseLabelBudget } from '@mimlab/evaluate';
import { ensureFolder } from '@mimlab/train';
import { evaluationConfig } from '../evaluate/evaluation-config.js';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { Launch } from './child-job.js';
import type { EvaluationPlan, Experiment, ExperimentOutcome } from './experiment.js';
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

/** Loads the configuration of every experiment and of its evaluations, so that a mistake in the last one is told before the first one runs. */
export async function planGrid(experiments: readonly Experiment[], { store, threads }: Pick<GridOptions, 'store' | 'threads'>): Promise<PlannedExperiment[]> {
  const planned: PlannedExperiment[] = [];
  const problems: string[] = [];
  for (const experiment of experiments) {
    try {
      planned.push(planExperiment(experiment, await loadRunContext(experiment.config, experiment.set), store, threads));
    } catch (error) {
      problems.push(`${experiment.id}: ${mistake(error)}`);
      continue;
    }
    const { context, folder } = planned.at(-1) as PlannedExperiment;
    for (const plan of experiment.evaluations) await checkEvaluation(plan, context, folder).catch((error: unknown) => problems.push(`${experiment.id}: ${plan.name}: ${mistake(error)}`));
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return planned;
}

function mistake(error: unknown): string {
  if (error instanceof MimlabError) return error.message;
  throw error;
}

/** As `mimlab evaluate` will read it, without weights and data. @throws MimlabError with what is wrong */
async function checkEvaluation({ protocol: name, labels, seed, data, set }: EvaluationPlan, context: RunContext, folder: string): Promise<void> {
  const protocol = await findProtocol(name);
  parseLabelBudget(labels);
  const source = { context, data: context.config.data, home: folder };
  await evaluationConfig({ protocol, source, set, labels, seed, ...(data === undefined ? {} : { data }) });
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
