import type { z } from 'zod';
import { ConfigError } from '../errors.js';
import { toPlain, type ConfigMap, type ConfigProblem } from './config-tree.js';
import { applyOverrides } from './overrides.js';
import { schemaProblems } from './zod-problems.js';

/**
 * Reads overrides `a.b.c=value` (values as YAML) that stand for themselves, without a file below them.
 * @throws ConfigError with everything that cannot be read
 */
export function readSettings(overrides: readonly string[]): Record<string, unknown> {
  const problems: ConfigProblem[] = [];
  const empty: ConfigMap = { kind: 'map', origin: { place: '--set', folder: process.cwd() }, entries: new Map() };
  const tree = applyOverrides(empty, overrides, process.cwd(), problems);
  if (problems.length > 0) throw new ConfigError(problems.map(({ place, text }) => `${place}: ${text}`).join('\n'));
  return toPlain(tree) as Record<string, unknown>;
}

/**
 * What a schema makes of settings, defaults included.
 * @param prefix of the keys in messages, `data.` say
 * @throws ConfigError with every mistake, each as `KEY: problem`
 */
export function checkSettings<T>(schema: z.ZodType<T>, value: unknown, prefix = ''): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = schemaProblems(parsed.error, schema, value).map(({ path, text }) => `${prefix}${path.join('.')}: ${text}`);
  throw new ConfigError([...new Set(lines)].join('\n'), { remedy: `Set keys with '--set KEY=VALUE'.` });
}
