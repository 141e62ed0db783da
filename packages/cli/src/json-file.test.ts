import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DataError } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readJsonFile } from './json-file.js';

describe('a JSON file', () => {
  let path: string;
  beforeAll(() => {
    path = join(mkdtempSync(join(tmpdir(), 'mimlab-json-')), 'file.json');
  });
  afterAll(() => {
    rmSync(dirname(path), { recursive: true, force: true });
  });
  const Schema = z.object({ count: z.number() });

  it('comes as its schema makes it', async () => {
    writeFileSync(path, '{ "count": 3, "more": 1 }');
    expect(await readJsonFile(path, Schema, 'remedy')).toEqual({ count: 3 });
  });

  it('may have a schema that its content decides', async () => {
    expect(await readJsonFile<unknown>(path, (given) => ('more' in (given as object) ? z.looseObject({}) : Schema), 'remedy')).toEqual({ count: 3, more: 1 });
  });

  it('is refused with its path, what is wrong and the remedy', async () => {
    writeFileSync(path, '{ "count": "three" }');
    await expect(readJsonFile(path, Schema, 'Write another.')).rejects.toThrow(/file\.json[^]*count[^]*Write another\./);
    writeFileSync(path, 'three');
    await expect(readJsonFile(path, Schema, 'Write another.')).rejects.toThrow(/file\.json: is no JSON[^]*Write another\./);
  });

  it('names every mistake in it', async () => {
    writeFileSync(path, '{ "b": 1 }');
    const error: unknown = await readJsonFile(path, z.strictObject({ a: z.object({ deep: z.array(z.string()) }), c: z.string() }), 'Write another.').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
    for (const name of [/→ at a/, /→ at c/, /"b"/]) expect((error as Error).message).toMatch(name);
  });

  it('that is missing is told by the file system, with its path', async () => {
    await expect(readJsonFile(`${path}.gone`, Schema, 'remedy')).rejects.toMatchObject({ code: 'ENOENT', path: `${path}.gone` });
  });

  it('that is empty is no JSON', async () => {
    writeFileSync(path, '');
    await expect(readJsonFile(path, Schema, 'remedy')).rejects.toThrow('is no JSON');
  });
});
