import { afterEach, describe, expect, it, vi } from 'vitest';
import { recordedTerminal } from '../terminal.test-support.js';
import { catchInterrupt } from './interruption.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const before = new Map(SIGNALS.map((name) => [name, process.listeners(name)]));

/** Calls what has been added to a signal since this file was loaded: the test's own process is to live on. */
function press(name: (typeof SIGNALS)[number]): void {
  for (const listener of process.listeners(name)) if (before.get(name)?.includes(listener) !== true) (listener as () => void)();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('Ctrl-C', () => {
  it.each(SIGNALS)('asks to stop after the update at hand (%s)', (name) => {
    const terminal = recordedTerminal();
    const { signal, end } = catchInterrupt(terminal);
    expect(signal.aborted).toBe(false);
    press(name);
    expect(signal.aborted).toBe(true);
    expect(terminal.notes).toEqual(['Stopping after this update and writing a checkpoint; once more to stop at once.']);
    end();
  });

  it('ends the process at once when it comes again, as interrupted', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const { end } = catchInterrupt(recordedTerminal());
    press('SIGINT');
    expect(exit).not.toHaveBeenCalled();
    press('SIGTERM');
    expect(exit).toHaveBeenCalledWith(130);
    end();
  });

  it('has its usual meaning again afterwards, however often that is said', () => {
    const { signal, end } = catchInterrupt(recordedTerminal());
    end();
    end();
    for (const name of SIGNALS) expect(process.listeners(name)).toEqual(before.get(name));
    press('SIGINT');
    expect(signal.aborted).toBe(false);
  });
});
