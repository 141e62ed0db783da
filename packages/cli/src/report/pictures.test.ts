import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext } from '../run/run-context.js';
import { drawRun, type RunPictures } from './pictures.js';
import type { ReportRun } from './report-run.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-report-pictures-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const CHECKPOINT = { path: '/nowhere/checkpoints/step-00000004', state: { update: 4 } };
async function draw(set: readonly string[], checkpoints: readonly unknown[], told: string[] = []): Promise<RunPictures> {
  const context = await loadRunContext('mae/mnist-quickstart', ['engine.kind=eager', ...set]);
  const run = { letter: 'A', name: 'run', folder, context, checkpoints } as unknown as ReportRun;
  return drawRun(run, 1, (done, total) => told.push(`${done}/${total}`));
}

describe('pictures that cannot be drawn', () => {
  it('are a sentence where there is no checkpoint', async () => {
    const told: string[] = [];
    const missing = 'This run has no checkpoint yet.';
    expect(await draw([], [], told)).toEqual({ gallery: { missing }, attention: { missing } });
    expect(told).toEqual([]);
  });

  it('are a sentence with the path where data are not here', async () => {
    const { gallery } = await draw([`data.path=${join(folder, 'gone')}`], [CHECKPOINT]);
    expect(gallery).toEqual({ missing: expect.stringMatching(/^It could not be drawn here: .*gone.*\.$/) as string });
  });

  it('are a sentence with the path where weights are not here', async () => {
    const told: string[] = [];
    const { gallery, attention } = await draw([], [CHECKPOINT], told);
    expect(gallery).toEqual({ missing: expect.stringMatching(/^It could not be drawn here: .*step-00000004.*\.$/) as string });
    expect(attention).toEqual(gallery);
    expect(told).toEqual(['0/1']);
  });

  it('are no sentence where the program itself is wrong', async () => {
    const context = new Proxy({}, { get: () => undefined });
    await expect(drawRun({ context, checkpoints: [CHECKPOINT] } as unknown as ReportRun, 1, () => undefined)).rejects.toThrow(TypeError);
  });
});
