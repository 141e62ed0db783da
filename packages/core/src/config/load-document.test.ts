import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { loadDocument } from './load-document.js';

const Schema = z.strictObject({ rows: z.array(z.strictObject({ id: z.string(), share: z.number().max(1) })), title: z.string().default('none') });

describe('a YAML document with a schema', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-document-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (text: string): string => {
    const path = join(folder, 'document.yaml');
    writeFileSync(path, text);
    return path;
  };
  const mistakes = (text: string): string => {
    try {
      loadDocument(file(text), Schema);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    throw new Error('no mistake was found');
  };

  it('comes as its schema makes it', () => {
    expect(loadDocument(file('rows:\n  - { id: a, share: 0.5 }\n'), Schema)).toEqual({ rows: [{ id: 'a', share: 0.5 }], title: 'none' });
  });

  it('tells every mistake with line and column', () => {
    const text = mistakes('rows:\n  - { id: a, share: 2 }\n  - { id: 3, share: 1 }\n');
    expect(text).toMatch(/document\.yaml:2:21: rows\.0\.share: /);
    expect(text).toMatch(/document\.yaml:3:11: rows\.1\.id: /);
  });

  it('names the key that a misspelt one may have meant', () => {
    expect(mistakes('rows: []\ntitel: x\n')).toMatch(/document\.yaml:2:1: titel: .*title/);
  });

  it('refuses what is no YAML, and a file that is not there', () => {
    expect(mistakes('rows: [')).toContain('this is not valid YAML');
    expect(() => loadDocument(join(folder, 'missing.yaml'), Schema)).toThrow('there is no such file');
  });
});
