import { availableParallelism } from 'node:os';
import { Interrupted } from '../failure.js';
import { gridReporter } from '../grid/grid-progress.js';
import type { GridOptions } from '../grid/run-grid.js';
import { catchInterrupt } from '../run/interruption.js';
import type { Terminal } from '../terminal.js';

/** How commands that run many experiments are told to run them. */
export interface GridCommandOptions {
  readonly store: string;
  readonly processes: number;
  /** Of each process; default: those of the machine, shared out. */
  readonly threads?: number;
}

/**
 * Runs a grid with its progress on the terminal; Ctrl-C stops it, and everything that is finished is kept.
 * @param run gets what a grid needs; undefined says that it was stopped
 * @throws Interrupted if it was stopped
 */
export async function withGrid<T>({ store, processes, threads }: GridCommandOptions, terminal: Terminal, run: (options: GridOptions) => Promise<T | undefined>): Promise<T> {
  const { report, end } = gridReporter(terminal);
  const interruption = catchInterrupt(terminal);
  let done: T | undefined;
  try {
    done = await run({ store, processes, threads: threads ?? Math.max(1, Math.floor(availableParallelism() / processes)), signal: interruption.signal, report });
  } finally {
    end();
    interruption.end();
  }
  if (done === undefined) throw new Interrupted('Stopped. What is finished is kept; the same command goes on.');
  return done;
}
