import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors, type HostTensor } from '@mimlab/core';
import { describe, it } from 'vitest';

/** Folder that holds one folder of cases for each subject: `$MIMLAB_GOLDEN`, else `golden/` of this repository. */
export const goldenRoot = (): string => process.env['MIMLAB_GOLDEN'] ?? fileURLToPath(new URL('../../../golden', import.meta.url));

/** A file of cases. */
export interface GoldenCase {
  /** File name without its ending. */
  readonly name: string;
  readonly path: string;
}

/**
 * Every file of a subject whose name matches, in order of name; undefined where the subject's folder is missing.
 * @throws Error if the root or all its subjects are missing, or the subject holds no matching file: a run that compares
 * nothing must not pass.
 */
export function goldenCases(subject: string, pattern: RegExp, root: string = goldenRoot()): readonly GoldenCase[] | undefined {
  const subjects = existsSync(root) ? readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() || entry.isSymbolicLink()) : [];
  if (subjects.length === 0) throw new Error(`no golden cases at all: ${root} holds no subject; check MIMLAB_GOLDEN`);
  const folder = join(root, subject);
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder).filter((file) => pattern.test(file));
  if (files.length === 0) throw new Error(`no golden case at all: nothing in ${folder} matches ${String(pattern)}`);
  return files.sort().map((file) => ({ name: basename(file, extname(file)), path: join(folder, file) }));
}

/** Declares tests over every case of a subject; says so and skips where the subject is missing. */
export function describeGolden(subject: string, pattern: RegExp, body: (cases: readonly GoldenCase[]) => void): void {
  const cases = goldenCases(subject, pattern);
  if (cases === undefined) {
    process.stderr.write(`golden/${subject}: no such folder under ${goldenRoot()}, skipped\n`);
    describe.skip(subject, () => it('has cases', () => undefined));
    return;
  }
  describe(subject, () => {
    body(cases);
  });
}

/** A case file with what lies beside it. */
export interface Golden {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The `.json` of the same name; undefined where there is none. Check it with a schema before use. */
  readonly json: unknown;
}

/** Reads a safetensors case and its sibling `.json`. */
export async function loadGolden({ path }: GoldenCase): Promise<Golden> {
  const json = path.slice(0, -extname(path).length) + '.json';
  const { tensors, metadata } = await readSafetensors(path);
  return { tensors, metadata, json: existsSync(json) ? await loadJson(json) : undefined };
}

export const loadJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8')) as unknown;

/** The tensors whose names start with `prefix`, without it. */
export function withoutPrefix(tensors: Readonly<Record<string, HostTensor>>, prefix: string): Record<string, HostTensor> {
  const found = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** A tensor of a case. @throws Error naming it if the case lacks it. */
export function tensorOf({ tensors }: Golden, name: string): HostTensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`the case has no tensor '${name}'`);
  return tensor;
}

export { engines, type AvailableEngine } from './engines.js';
