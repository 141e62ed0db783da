import { ConfigError } from '../errors.js';
import { keyOrigin, originOf, type ConfigNode, type ConfigPath, type ConfigProblem } from './config-tree.js';
import type { SchemaProblem } from './zod-problems.js';

/** Gives problems of a part at `base` their places in the files. */
export function located(tree: ConfigNode, base: ConfigPath, found: readonly SchemaProblem[]): ConfigProblem[] {
  return found.map(({ path, text, atKey }) => {
    const whole = [...base, ...path];
    return { place: (atKey ? keyOrigin(tree, whole) : originOf(tree, whole)).place, path: whole, text };
  });
}

/** One error for all mistakes, in the order of files and lines. */
export function configError(problems: readonly ConfigProblem[]): ConfigError {
  const lines = problems.map(({ place, path, text }) => `${place}: ${path.length === 0 ? '' : `${path.join('.')}: `}${text}`);
  const unique = [...new Set(lines)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new ConfigError(unique.join('\n'));
}

