import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-evaluation.js';
import { ALL_CELLS, cellName, type Cell } from './corruption-error.js';
import { corruptionFolders } from './corruption-folders.js';

const root = temporaryFolder();
const put = (name: string, cells: readonly Cell[], between: (cell: Cell) => string = () => ''): string => {
  const path = join(root, name);
  for (const cell of cells) mkdirSync(join(path, between(cell), cell.corruption, String(cell.severity)), { recursive: true });
  return path;
};

describe('folders of corrupted images', () => {
  it('are found by corruption and severity, in the order of the paper', async () => {
    const path = put('whole', ALL_CELLS);
    const found = await corruptionFolders(path, false);
    expect(found).toHaveLength(75);
    expect(found[0]).toEqual({ corruption: 'gaussian_noise', severity: 1, path: join(path, 'gaussian_noise', '1') });
    expect(found.map(cellName)).toEqual(ALL_CELLS.map(cellName));
  });

  it('may lie in folders named by the archives of the benchmark', async () => {
    const path = put('archives', ALL_CELLS, ({ corruption }) => (corruption.endsWith('noise') ? 'noise' : 'digital'));
    expect((await corruptionFolders(path, false)).at(-1)?.path).toBe(join(path, 'digital', 'jpeg_compression', '5'));
  });

  it('are listed where they are missing, and measured without them only when asked for', async () => {
    const path = put('some', ALL_CELLS.filter(({ corruption, severity }) => corruption !== 'fog' && severity < 5));
    await expect(corruptionFolders(path, false)).rejects.toThrow(/lacks 19 of 75 .*gaussian_noise\/5.*frost\/5, fog, brightness\/5[\s\S]*present=true/);
    expect(await corruptionFolders(path, true)).toHaveLength(56);
  });

  it('are asked for where there are none at all', async () => {
    await expect(corruptionFolders(join(root, 'nowhere'), true)).rejects.toThrow(/nowhere: holds no corrupted images/);
  });
});
