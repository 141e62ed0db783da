import { EXIT } from '../failure.js';
import type { Terminal } from '../terminal.js';

/** A signal that Ctrl-C sets. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  end(): void;
}

/** The first Ctrl-C asks the run to stop after the update at hand; the second one ends the process at once. */
export function catchInterrupt(terminal: Terminal): Interruption {
  const controller = new AbortController();
  const stop = (): void => {
    // A resume starts at the newest checkpoint: only what came after it is lost.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    terminal.note('Stopping after this update and writing a checkpoint; once more to stop at once.');
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    end() {
      for (const name of signals) process.off(name, stop);
    },
  };
}
