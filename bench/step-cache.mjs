// Folders for compiled steps, so that a start is as cold or as warm as a measurement wants it.
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '@mimlab/engine';

/** Where the engine keeps compiled steps below its cache folder. */
const STEPS = 'steps';

/** A cache folder below `root` with the libraries of mimlab's own one, and no compiled step. */
export function emptyStepCache(root, from = cacheFolder()) {
  mkdirSync(from, { recursive: true });
  const folder = mkdtempSync(join(root, 'cache-'));
  for (const name of readdirSync(from)) if (name !== STEPS) symlinkSync(join(from, name), join(folder, name));
  return folder;
}
