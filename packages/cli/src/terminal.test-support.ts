import type { Terminal } from './terminal.js';

/** A terminal that keeps what is written to it. */
export interface RecordedTerminal extends Terminal {
  readonly lines: string[];
  readonly notes: string[];
  /** Every state of the live line, the empty one too. */
  readonly overwritten: string[];
}

export function recordedTerminal({ live = false } = {}): RecordedTerminal {
  const [lines, notes, overwritten]: [string[], string[], string[]] = [[], [], []];
  return { live, columns: 100, lines, notes, overwritten, out: (line) => lines.push(line), note: (line) => notes.push(line), overwrite: (text) => overwritten.push(text) };
}
