import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { presetNames } from '@mimlab/core';
import { PRESETS } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';
import { aligned } from './plugins.js';

export interface Preset {
  /** What CONFIG and `extends` take. */
  readonly name: string;
  /** The first sentence of its comment. */
  readonly about: string;
  readonly file: string;
}

export async function listPresets(): Promise<Preset[]> {
  return Promise.all(
    presetNames([PRESETS]).map(async (found) => {
      const file = join(PRESETS, found);
      const first = (await readFile(file, 'utf8')).split('\n')[0] ?? '';
      return { name: found.replace(/\.ya?ml$/, ''), about: first.replace(/^#\s*/, ''), file };
    }),
  );
}

/** Lists the presets that ship with the command. */
export async function presets({ json }: { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  const found = await listPresets();
  if (json === true) terminal.out(JSON.stringify(found, null, 2));
  else for (const line of aligned(found.map(({ name, about }) => [name, about]))) terminal.out(line);
}
