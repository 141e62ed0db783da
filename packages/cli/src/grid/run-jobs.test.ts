import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobEnd, Launch } from './child-job.js';
import { isFinished } from './job-state.js';
import type { Job } from './plan-jobs.js';
import { runJobs, type GridRecord, type RunJobsOptions } from './run-jobs.js';

describe('running jobs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-jobs-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const job = (name: string, after?: string): Job => ({
    folder: join(folder, name),
    kind: 'pretrain',
    title: name,
    log: `${name}.log`,
    config: { file: join(folder, 'configs', `${name}.yaml`), text: `# ${name}\n` },
    arguments: () => [],
    ...(after === undefined ? {} : { after: join(folder, after) }),
  });

  /** Jobs that end when a test says so. */
  function stage() {
    const started: { title: string; resume: boolean; stopped: boolean; progress: (share: number) => void; end: (code: number | null) => void }[] = [];
    const launch: Launch = (one, { resume, progress }) => {
      let end: (value: JobEnd) => void = () => undefined;
      const ended = new Promise<JobEnd>((resolve) => {
        end = resolve;
      });
      const entry = {
        title: one.title,
        resume,
        stopped: false,
        progress,
        end: (code: number | null) => {
          mkdirSync(one.folder, { recursive: true });
          end({ code, tail: ['the last line'] });
        },
      };
      started.push(entry);
      return Promise.resolve({
        end: ended,
        stop: () => {
          entry.stopped = true;
          entry.end(130);
        },
      });
    };
    return { started, launch };
  }

  const options = (jobs: readonly Job[], launch: Launch, more: Partial<RunJobsOptions> = {}): RunJobsOptions => ({ jobs, logs: join(folder, 'logs'), processes: 1, signal: new AbortController().signal, report: () => undefined, launch, ...more });
  type Started = ReturnType<typeof stage>['started'];
  /** Waits until these have been started, in this order. */
  const whenStarted = async (started: Started, ...titles: string[]): Promise<void> => {
    await vi.waitFor(() => {
      expect(started.map(({ title }) => title)).toEqual(titles);
    }, 20_000);
  };

  it('runs as many at once as there are processes', async () => {
    const { started, launch } = stage();
    const done = runJobs(options([job('a'), job('b'), job('c')], launch, { processes: 2 }));
    await whenStarted(started, 'a', 'b');
    started[0]?.end(0);
    await whenStarted(started, 'a', 'b', 'c');
    started[1]?.end(0);
    started[2]?.end(0);
    expect(await done).toBe(true);
  });

  it('starts a job only when the one it needs is finished, and others meanwhile', async () => {
    const { started, launch } = stage();
    const done = runJobs(options([job('run'), job('knn', 'run'), job('other')], launch, { processes: 2 }));
    await whenStarted(started, 'run', 'other');
    started[0]?.end(0);
    await whenStarted(started, 'run', 'other', 'knn');
    for (const { end } of started) end(0);
    expect(await done).toBe(true);
  });

  it('marks a finished run, and does not ask for it again', async () => {
    const first = stage();
    const done = runJobs(options([job('a')], first.launch));
    await whenStarted(first.started, 'a');
    first.started[0]?.end(0);
    await done;
    expect(isFinished(job('a'))).toBe(true);
    const second = stage();
    expect(await runJobs(options([job('a')], second.launch))).toBe(true);
    expect(second.started).toEqual([]);
  });

  it('goes on with a run that was begun', async () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'config.yaml'), '');
    const { started, launch } = stage();
    const done = runJobs(options([job('a'), job('b')], launch, { processes: 2 }));
    await whenStarted(started, 'a', 'b');
    expect(started.map(({ title, resume }) => [title, resume])).toEqual([['a', true], ['b', false]]);
    for (const { end } of started) end(0);
    await done;
  });

  it('lets what runs finish after a failure, starts nothing new, and says which job failed with its last lines', async () => {
    const { started, launch } = stage();
    const done = runJobs(options([job('a'), job('b'), job('c')], launch, { processes: 2 }));
    await whenStarted(started, 'a', 'b');
    started[0]?.end(1);
    started[1]?.end(0);
    await expect(done).rejects.toThrow(/a failed with exit code 1:\n +the last line[^]*mend the cause/);
    expect(started).toHaveLength(2);
    expect(isFinished(job('b'))).toBe(true);
    expect(isFinished(job('a'))).toBe(false);
  });

  it('tells a job that a signal ended', async () => {
    const { started, launch } = stage();
    const done = runJobs(options([job('a')], launch));
    await whenStarted(started, 'a');
    started[0]?.end(null);
    await expect(done).rejects.toThrow('a was ended by a signal');
  });

  it('asks every running job to stop when it is asked itself', async () => {
    const { started, launch } = stage();
    const controller = new AbortController();
    const done = runJobs(options([job('a'), job('b'), job('c')], launch, { processes: 2, signal: controller.signal }));
    await whenStarted(started, 'a', 'b');
    controller.abort();
    expect(await done).toBe(false);
    expect(started.map(({ stopped }) => stopped)).toEqual([true, true]);
    expect(isFinished(job('a'))).toBe(false);
  });

  it('estimates what is left from jobs of the same kind and from the share that a job has done', async () => {
    const { started, launch } = stage();
    let clock = 0;
    const left: (number | undefined)[] = [];
    const report = (record: GridRecord): void => {
      if (record.kind === 'progress') left.push(record.secondsLeft);
    };
    const done = runJobs(options([job('a'), job('b'), job('c')], launch, { report, now: () => clock }));
    await whenStarted(started, 'a');
    expect(left.at(-1)).toBeUndefined();
    clock = 10;
    started[0]?.end(0);
    await whenStarted(started, 'a', 'b');
    await vi.waitFor(() => {
      expect(left.at(-1)).toBe(20);
    }, 20_000);
    clock = 14;
    started[1]?.progress(0.5);
    expect(left.at(-1)).toBe(4 + 10);
    started[1]?.end(0);
    await whenStarted(started, 'a', 'b', 'c');
    started[2]?.end(0);
    expect(await done).toBe(true);
  });

  it('counts as done what was finished before', async () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'finished.json'), '{}');
    const records: GridRecord[] = [];
    const { started, launch } = stage();
    const done = runJobs(options([job('a'), job('b')], launch, { report: (record) => records.push(record) }));
    await whenStarted(started, 'b');
    expect(records.at(-1)).toMatchObject({ kind: 'progress', done: 1, total: 2, running: [{ title: 'b' }] });
    started[0]?.end(0);
    await done;
    expect(records.at(-2)).toMatchObject({ kind: 'finished', job: { title: 'b' }, done: 2, total: 2 });
    expect(records.at(-1)).toMatchObject({ kind: 'progress', done: 2, running: [] });
  });

  it('starts an evaluation whose run is finished already', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run', 'finished.json'), '{}');
    const { started, launch } = stage();
    const done = runJobs(options([job('run'), job('knn', 'run')], launch));
    await whenStarted(started, 'knn');
    started[0]?.end(0);
    expect(await done).toBe(true);
  });

  it('keeps the progress that a job tells while it is being started', async () => {
    const { started, launch } = stage();
    const shares: number[] = [];
    const done = runJobs(
      options([job('a')], (one, how) => {
        how.progress(0.5);
        return launch(one, how);
      }, { report: (record) => record.kind === 'progress' && shares.push(...record.running.map(({ share }) => share)) }),
    );
    await whenStarted(started, 'a');
    await vi.waitFor(() => {
      expect(shares.at(-1)).toBe(0.5);
    });
    started[0]?.end(0);
    await done;
  });

  it('stops what runs where another job cannot be started at all', async () => {
    const { started, launch } = stage();
    const done = runJobs(options([job('a'), job('b')], (one, how) => (one.title === 'b' ? Promise.reject(new Error('no room')) : launch(one, how)), { processes: 2 }));
    await expect(done).rejects.toThrow('no room');
    expect(started.map(({ title, stopped }) => [title, stopped])).toEqual([['a', true]]);
  });

  it('stops a job that was being started when it was asked to stop', async () => {
    const { started, launch } = stage();
    const controller = new AbortController();
    const done = runJobs(
      options([job('a'), job('b')], (one, how) => {
        controller.abort();
        return launch(one, how);
      }, { signal: controller.signal }),
    );
    expect(await done).toBe(false);
    expect(started.map(({ title, stopped }) => [title, stopped])).toEqual([['a', true]]);
  });

  it('has nothing to do without jobs', async () => {
    const { launch, started } = stage();
    expect(await runJobs(options([], launch))).toBe(true);
    expect(started).toEqual([]);
  });

  it('writes the configuration that a job reads before it starts', async () => {
    const { started, launch } = stage();
    const seen: boolean[] = [];
    const done = runJobs(
      options([job('a')], (one, how) => {
        seen.push(existsSync(one.config.file));
        return launch(one, how);
      }),
    );
    await whenStarted(started, 'a');
    started[0]?.end(0);
    await done;
    expect(seen).toEqual([true]);
  });
});
