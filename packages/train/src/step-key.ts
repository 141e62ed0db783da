import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeDigest, type PixelStatistics } from '@mimlab/core';
import type { RunConfig } from './config.js';

/**
 * Sections that a step's arithmetic does not follow from, or that come into the key of a compiled step by other ways:
 * the optimizer's settings are part of the step, those of the engine and all shapes are the engine's to add.
 */
const ELSEWHERE = new Set(['extends', 'seed', 'output', 'train', 'engine']);
const OF_THE_LOADER = new Set(['path', 'workers', 'prefetch', 'cacheMiB', 'augment']);

/**
 * The `cacheKey` of a run's step: a hash of its configuration, the statistics that it normalises with, the code of its
 * plugins and of this package, and size and times of the files that the configuration names (weights of teachers).
 * @param plugins absolute paths or file URLs of the modules that the objective was made by
 * @returns undefined if the code cannot be told for sure; the step is then compiled at every start
 */
export function stepKey(config: RunConfig, statistics: PixelStatistics, plugins: readonly string[]): string | undefined {
  const code = codeDigest([...plugins, fileURLToPath(import.meta.url)]);
  if (code === undefined) return undefined;
  const sections = Object.entries(config)
    .filter(([name]) => !ELSEWHERE.has(name))
    .map(([name, section]) => [name, name === 'data' ? without(section, OF_THE_LOADER) : section]);
  const files = stringsIn(sections).map((text) => [text, fileFacts(text)]);
  return createHash('sha256').update(JSON.stringify({ code, sections, files, statistics })).digest('hex');
}

const without = (section: unknown, keys: ReadonlySet<string>): unknown => Object.fromEntries(Object.entries(section ?? {}).filter(([key]) => !keys.has(key)));

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** Size and times of a file; nothing if the text names none. */
function fileFacts(text: string): readonly number[] {
  try {
    const facts = statSync(resolve(text));
    return facts.isFile() ? [facts.size, facts.mtimeMs, facts.ctimeMs] : [];
  } catch {
    return [];
  }
}
