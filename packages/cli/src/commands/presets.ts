import { join } from 'node:path';
import { presetAbout, presetNames } from '@mimlab/core';
import { PRESETS } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';
import { aligned } from './plugins.js';

export interface Preset {
  /** What CONFIG and `extends` take. */
  readonly name: string;
  /** The first line of its comment. */
  readonly description: string;
  /** Ids of the rows of the PR-MIM paper's tables whose recipe it is. */
  readonly rows: readonly string[];
}

export const listPresets = (): Preset[] =>
  presetNames([PRESETS]).map((file) => ({ name: file.replace(/\.ya?ml$/, ''), ...presetAbout(join(PRESETS, file)) }));

/** Lists the presets that ship with the command. */
export function presets({ json }: { readonly json?: boolean }, terminal: Terminal): void {
  const found = listPresets();
  if (json === true) terminal.out(JSON.stringify(found, null, 2));
  else for (const line of aligned([['name', 'rows', 'description'], ...found.map(({ name, description, rows }) => [name, rows.join(' '), description])])) terminal.out(line);
}
