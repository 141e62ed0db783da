import { readFile } from 'node:fs/promises';
import { DataError } from '@mimlab/core';
import { z } from 'zod';

/**
 * Reads a JSON file by a schema.
 * @param schemaOf which schema, where the content decides
 * @param remedy where such a file comes from
 * @throws DataError naming the file and what is wrong in it
 */
export async function readJsonFile<T>(path: string, schemaOf: z.ZodType<T> | ((given: unknown) => z.ZodType<T>), remedy: string): Promise<T> {
  let given: unknown;
  try {
    given = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new DataError('is no JSON', { place: path, remedy, cause });
  }
  const parsed = (typeof schemaOf === 'function' ? schemaOf(given) : schemaOf).safeParse(given);
  if (parsed.success) return parsed.data;
  throw new DataError(z.prettifyError(parsed.error), { place: path, remedy });
}
