import { dirname } from 'node:path';
import { ensureFolder, writeFileAtomically } from '@mimlab/train';
import type { Terminal } from '../terminal.js';

/**
 * Prints results, or writes them into a file, whole or not at all, and prints its path. Folders on the way are made.
 * @throws TrainingError naming the place if it cannot be written
 */
export async function printOrWrite(text: string, output: string | undefined, terminal: Terminal): Promise<void> {
  if (output === undefined) {
    terminal.out(text);
    return;
  }
  await ensureFolder(dirname(output));
  await writeFileAtomically(output, `${text}\n`);
  terminal.out(output);
}
