import { ConfigError } from '@mimlab/core';
import { listPresets } from '../commands/presets.js';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { PaperRow } from './paper-tables.js';

let byRow: ReadonlyMap<string, readonly string[]> | undefined;

/** Names of presets by the rows that they reproduce. */
function presetsByRow(): ReadonlyMap<string, readonly string[]> {
  if (byRow !== undefined) return byRow;
  const found = new Map<string, string[]>();
  for (const { name, rows } of listPresets()) for (const id of rows) found.set(id, [...(found.get(id) ?? []), name]);
  byRow = found;
  return byRow;
}

/**
 * The preset whose recipe a row of the paper is.
 * @param id as `t2-09`
 * @throws ConfigError if there is none, or more than one
 */
export function rowPreset(id: string): string {
  const names = presetsByRow().get(id) ?? [];
  if (names.length === 1) return names[0] as string;
  throw new ConfigError(names.length === 0 ? 'no preset reproduces this row' : `several presets say that they reproduce this row: ${names.join(', ')}`, { place: id, remedy: `The key 'reproduces' of a preset names its rows ('mimlab presets' lists them).` });
}

/** A row's preset, loaded on any machine: neither costs nor wrappers need the weights of TEC's teacher. */
export const loadRow = ({ id, framework }: Pick<PaperRow, 'id' | 'framework'>): Promise<RunContext> => loadRunContext(rowPreset(id), framework === 'TEC' ? ['method.teacher.checkpoint=null'] : []);

/** All ids that presets name, to be held against the tables. */
export const reproducedRows = (): readonly string[] => [...presetsByRow().keys()];
