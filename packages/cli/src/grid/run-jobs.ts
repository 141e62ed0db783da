import { join } from 'node:path';
import { MimlabError } from '@mimlab/core';
import { launchProcess, type JobEnd, type Launch, type RunningJob } from './child-job.js';
import { isBegun, isFinished, markFinished, prepare } from './job-state.js';
import type { Job } from './plan-jobs.js';

/** What whoever watches a grid is told. */
export type GridRecord =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly running: readonly { readonly title: string; readonly share: number }[]; readonly secondsLeft: number | undefined }
  | { readonly kind: 'finished'; readonly job: Job; readonly seconds: number; readonly done: number; readonly total: number };

export interface RunJobsOptions {
  readonly jobs: readonly Job[];
  /** Folder of the logs. */
  readonly logs: string;
  /** Jobs that run at once. */
  readonly processes: number;
  readonly signal: AbortSignal;
  readonly report: (record: GridRecord) => void;
  readonly launch?: Launch;
  /** Clock in seconds. */
  readonly now?: () => number;
}

interface Running {
  readonly job: Job;
  readonly since: number;
  share: number;
  readonly process: RunningJob;
}

/**
 * Runs jobs side by side, each once what it comes after is finished; those whose folders are finished are passed over. After a
 * failure nothing new is started and what runs is let finish, so that no work is lost.
 * @returns whether all are done; false if the signal asked to stop
 * @throws MimlabError naming the job that failed, its log and the last lines it wrote
 */
export async function runJobs({ jobs, logs, processes, signal, report, launch = launchProcess, now = () => performance.now() / 1000 }: RunJobsOptions): Promise<boolean> {
  const waiting = jobs.filter((job) => !isFinished(job));
  const total = jobs.length;
  let done = total - waiting.length;
  const running = new Map<Job, Running>();
  const took = new Map<string, number[]>();
  let failure: MimlabError | undefined;

  const logOf = (job: Job): string => join(logs, job.log);
  const progress = (): void => {
    const shown = [...running.values()].map(({ job: { title }, share }) => ({ title, share }));
    report({ kind: 'progress', done, total, running: shown, secondsLeft: secondsLeft([...running.values()], waiting, took, processes, now()) });
  };
  const isReady = ({ after }: Job): boolean => after === undefined || ![...waiting, ...running.keys()].some(({ folder }) => folder === after);
  const stopAll = (): void => {
    for (const { process } of running.values()) process.stop();
  };
  signal.addEventListener('abort', stopAll);

  const start = async (job: Job): Promise<void> => {
    const since = now();
    await prepare(job);
    const state = { share: 0 };
    const process = await launch(job, {
      resume: isBegun(job),
      log: logOf(job),
      progress: (share) => {
        const entry = running.get(job) ?? state;
        entry.share = share;
        progress();
      },
    });
    running.set(job, { job, since, share: state.share, process });
    if (signal.aborted) process.stop();
  };
  const finish = async ({ job, since }: Running, end: JobEnd): Promise<void> => {
    running.delete(job);
    const seconds = now() - since;
    if (end.code === 0) {
      await markFinished(job, seconds);
      done++;
      took.set(job.kind, [...(took.get(job.kind) ?? []), seconds]);
      report({ kind: 'finished', job, seconds, done, total });
    } else if (!signal.aborted) {
      failure ??= failed(job, end, logOf(job));
    }
  };

  try {
    for (;;) {
      while (!signal.aborted && failure === undefined && running.size < processes) {
        const next = waiting.findIndex(isReady);
        if (next < 0) break;
        await start(waiting.splice(next, 1)[0] as Job);
      }
      progress();
      if (running.size === 0) break;
      const ended = await Promise.race([...running.values()].map(async (entry) => ({ entry, end: await entry.process.end })));
      await finish(ended.entry, ended.end);
    }
  } catch (error) {
    stopAll();
    throw error;
  } finally {
    signal.removeEventListener('abort', stopAll);
  }
  if (failure !== undefined) throw failure;
  return !signal.aborted && waiting.length === 0;
}

function failed({ title }: Job, { code, tail }: JobEnd, log: string): MimlabError {
  return new MimlabError(`${title} ${code === null ? 'was ended by a signal' : `failed with exit code ${code}`}:\n${tail.map((line) => `    ${line}`).join('\n')}`, {
    place: log,
    remedy: 'What is finished is kept: mend the cause and give the same command again.',
  });
}

/** From the mean duration of finished jobs of each kind; undefined while a kind is missing that is still to come. */
function secondsLeft(running: readonly Running[], waiting: readonly Job[], took: ReadonlyMap<string, readonly number[]>, processes: number, at: number): number | undefined {
  const meanOf = (kind: string): number | undefined => {
    const durations = took.get(kind);
    return durations === undefined ? undefined : durations.reduce((sum, one) => sum + one, 0) / durations.length;
  };
  let seconds = 0;
  for (const { job, since, share } of running) {
    const elapsed = at - since;
    const rest = share > 0.05 ? (elapsed / share) * (1 - share) : meanOf(job.kind);
    if (rest === undefined) return undefined;
    seconds += Math.max(0, rest);
  }
  for (const { kind } of waiting) {
    const mean = meanOf(kind);
    if (mean === undefined) return undefined;
    seconds += mean;
  }
  return seconds / processes;
}
