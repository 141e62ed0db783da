import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { ALL_CELLS, cellName, missingNames, type Cell } from './corruption-error.js';

/** The archives of ImageNet-C, which some people unpack into folders of their own. */
const GROUPS = ['noise', 'blur', 'weather', 'digital'];

export interface CellFolder extends Cell {
  /** Holds class folders, or `test` or `val` with them. */
  readonly path: string;
}

async function names(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw new DataError(`cannot be listed: ${error instanceof Error ? error.message : String(error)}`, { place: path, cause: error });
  }
}

/**
 * Folders of corrupted images: `ROOT/NAME/SEVERITY` as ImageNet-C is published and as `mimlab corrupt` writes it, or with the
 * name of the archive between (`ROOT/noise/gaussian_noise/1`).
 * @param present take what is there where something is missing
 * @throws DataError that lists what is missing
 */
export async function corruptionFolders(root: string, present: boolean): Promise<readonly CellFolder[]> {
  const found = new Map<string, string>();
  for (const folder of [root, ...GROUPS.map((group) => join(root, group))]) {
    const inside = await names(folder);
    for (const cell of ALL_CELLS) {
      if (!inside.includes(cell.corruption) || found.has(cellName(cell))) continue;
      if ((await names(join(folder, cell.corruption))).includes(String(cell.severity))) found.set(cellName(cell), join(folder, cell.corruption, String(cell.severity)));
    }
  }
  const missing = missingNames((cell) => found.has(cellName(cell)));
  if (found.size === 0) throw new DataError('holds no corrupted images', { place: root, remedy: `Name the folder with gaussian_noise/1 and so on in it: ImageNet-C, or what 'mimlab corrupt' wrote.` });
  if (missing.length > 0 && !present) {
    throw new DataError(`lacks ${ALL_CELLS.length - found.size} of ${ALL_CELLS.length} sets of corrupted images: ${missing.join(', ')}`, {
      place: root,
      remedy: `Add them, or measure what is there with '--set present=true'.`,
    });
  }
  return ALL_CELLS.flatMap((cell) => {
    const path = found.get(cellName(cell));
    return path === undefined ? [] : [{ ...cell, path }];
  });
}
