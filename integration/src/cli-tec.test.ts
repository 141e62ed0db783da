import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mimlab, temporaryFolder, writeTinyMnist } from './cli-process.js';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  const data = await writeTinyMnist(join(folder, 'data'));
  const tail = `data: { dataset: mnist, path: ${data}, size: 16, workers: 0 }\ntrain: { batch: 8, epochs: 2, warmupEpochs: 0, lr: 0.001, checkpointEvery: 4 }\n`;
  await writeFile(join(folder, 'mff.yaml'), `method: { plugin: mff, patchSize: 4, width: 8, depth: 2, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2, positions: mae }\n${tail}`);
  await writeFile(
    join(folder, 'tec.yaml'),
    `method:
  plugin: tec
  teacher: { width: 8, depth: 2, heads: 2 }
  patchSize: 4
  width: 8
  depth: 2
  heads: 2
  adapterBlocks: 1
  topK: 3
  decoderWidth: 8
  decoderDepth: 1
  decoderHeads: 2
${tail}`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pretrain = (config: string, output: string, ...set: string[]) =>
  mimlab(['pretrain', join(folder, `${config}.yaml`), '--output', join(folder, output), ...set.flatMap((text) => ['--set', text])]);
const lastRow = async (run: string): Promise<{ parts: Record<string, number> }> =>
  JSON.parse((await readFile(join(folder, run, 'metrics.jsonl'), 'utf8')).trim().split('\n').at(-1) ?? '{}') as { parts: Record<string, number> };

describe('mimlab pretrain', () => {
  it('logs the shares of MFF beside its loss', async () => {
    const { status, stderr } = await pretrain('mff', 'mff');
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('See reconstructions with');
    expect(Object.keys((await lastRow('mff')).parts)).toEqual(['retained', 'fusion.0', 'fusion.1']);
  });

  it('asks for the teacher of TEC where none is named', async () => {
    const { status, stderr } = await pretrain('tec', 'none');
    expect(status).toBe(1);
    expect(stderr).toMatch(/tec\.yaml:\d+:\d+: method\.teacher\.checkpoint: TEC needs a teacher/);
  });

  it('leaves nothing behind where the teacher is not found', async () => {
    const { status, stderr } = await pretrain('tec', 'lost', `method.teacher.checkpoint=${join(folder, 'nowhere.pth')}`);
    expect(status).toBe(1);
    expect(stderr).toContain('nowhere.pth: there is no such file or folder');
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(folder, 'lost'))).toBe(false);
  });

  it('teaches TEC by another run, and goes on when that run is gone', async () => {
    expect((await pretrain('mff', 'teacher')).status).toBe(0);
    const first = await pretrain('tec', 'tec', `method.teacher.checkpoint=${join(folder, 'teacher')}`);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stderr).not.toContain('See reconstructions with');
    expect(Object.keys((await lastRow('tec')).parts)).toEqual(['retained', 'feature', 'attention']);
    await rm(join(folder, 'teacher'), { recursive: true });
    await rm(join(folder, 'tec', 'checkpoints', 'step-00000008'), { recursive: true });
    const resumed = await mimlab(['pretrain', '--resume', join(folder, 'tec')]);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain('Finished 8 updates');
  });
});
