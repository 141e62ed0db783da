import { createProgram, type Terminal } from '@mimlab/cli';

export interface Written {
  readonly out: readonly string[];
  readonly notes: readonly string[];
}

/** Runs the command in this process. @returns what it wrote */
export async function runInProcess(...args: string[]): Promise<Written> {
  const [out, notes]: [string[], string[]] = [[], []];
  const terminal: Terminal = { live: false, columns: 200, out: (line) => out.push(line), note: (line) => notes.push(line), overwrite: () => undefined };
  await createProgram(terminal).parseAsync(['node', 'mimlab', ...args]);
  return { out, notes };
}
