import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.js';
import type { ConfigProblem } from './config-tree.js';
import { rowsOf } from './extends-chain.js';
import { readDocument } from './read-document.js';

/** What a configuration file says of itself. */
export interface PresetAbout {
  /** The first line of its comment, without the number sign; empty if it begins otherwise. */
  readonly description: string;
  /** Ids of the rows of published tables whose recipe it is: its own key `reproduces`, never one of a file it extends. */
  readonly rows: readonly string[];
}

/** Reads what a configuration says of itself. @throws ConfigError if it is no YAML, or `reproduces` no list of strings. */
export function presetAbout(file: string): PresetAbout {
  const first = readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  const problems: ConfigProblem[] = [];
  const document = readDocument(file, problems);
  const rows = document?.kind === 'map' ? rowsOf(document, problems) : [];
  if (problems.length > 0) throw new ConfigError(problems.map(({ place, path, text }) => `${[place, ...(path.length === 0 ? [] : [path.join('.')])].join(': ')}: ${text}`).join('\n'));
  return { description: first.startsWith('#') ? first.replace(/^#\s*/, '') : '', rows };
}
