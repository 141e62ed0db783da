import type { z } from 'zod';
import { configError, located } from './config-problems.js';
import { toPlain, type ConfigProblem } from './config-tree.js';
import { readDocument } from './read-document.js';
import { schemaProblems } from './zod-problems.js';

/**
 * Reads a YAML file that is no configuration of a run: a sweep, say.
 * @param file its path
 * @param schema of the whole document, a strict object
 * @throws ConfigError with every mistake at once, each as `file:line:column: key.path: problem`
 */
export function loadDocument<T>(file: string, schema: z.ZodType<T>): T {
  const problems: ConfigProblem[] = [];
  const tree = readDocument(file, problems);
  if (tree === undefined) throw configError(problems);
  const plain = toPlain(tree);
  const parsed = schema.safeParse(plain);
  if (parsed.success) return parsed.data;
  throw configError(located(tree, [], schemaProblems(parsed.error, schema, plain)));
}
