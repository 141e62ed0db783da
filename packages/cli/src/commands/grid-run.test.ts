import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../failure.js';
import type { GridOptions } from '../grid/run-grid.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { withGrid } from './grid-run.js';

const listening = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
const threadsFor = (processes: number, threads?: number): Promise<number> =>
  withGrid({ store: 'store', processes, ...(threads === undefined ? {} : { threads }) }, recordedTerminal(), (grid) => Promise.resolve(grid.threads));

describe('a grid', () => {
  it('shares the threads of the machine out among its processes, one at least', async () => {
    expect(await threadsFor(1)).toBe(availableParallelism());
    expect(await threadsFor(10 * availableParallelism())).toBe(1);
  });

  it('gives each process the threads that are asked for', async () => {
    expect(await threadsFor(4, 3)).toBe(3);
  });

  it('hands store and processes on, and what comes of it back', async () => {
    let given: GridOptions | undefined;
    const done = await withGrid({ store: 'läufe', processes: 2 }, recordedTerminal(), (grid) => {
      given = grid;
      return Promise.resolve(['row']);
    });
    expect(given).toMatchObject({ store: 'läufe', processes: 2 });
    expect(given?.signal.aborted).toBe(false);
    expect(done).toEqual(['row']);
  });

  it('that was stopped says that the same command goes on', async () => {
    const stopped: unknown = await withGrid({ store: 'store', processes: 1 }, recordedTerminal(), () => Promise.resolve(undefined)).catch((reason: unknown) => reason);
    expect(stopped).toBeInstanceOf(Interrupted);
    expect((stopped as Error).message).toBe('Stopped. What is finished is kept; the same command goes on.');
  });

  it('takes its line away and gives Ctrl-C back, whether it fails or not', async () => {
    const before = listening();
    for (const run of [() => Promise.resolve(1), () => Promise.reject(new Error('no data'))]) {
      const terminal = recordedTerminal({ live: true });
      await withGrid({ store: 'store', processes: 1 }, terminal, (): Promise<number> => run()).catch(() => undefined);
      expect(terminal.overwritten.at(-1)).toBe('');
      expect(listening()).toBe(before);
    }
  });
});
