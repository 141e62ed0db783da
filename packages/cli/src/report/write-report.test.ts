import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeReport, type WriteReportOptions } from './write-report.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mimlab-write-report-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const ROW = { step: 4, epoch: 1, loss: 0.5, parts: { retained: 0.5 }, lr: 0.1, gradNorm: 1, paramNorm: 1, updateNorm: 1, memoryMiB: 100, imagesPerSecond: 50, seconds: { data: 1, step: 3 } };
function run(name: string, config = 'extends: mae/mnist-quickstart\n', rows: readonly object[] = [ROW]): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.yaml'), config);
  writeFileSync(join(folder, 'metrics.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return folder;
}
const options = (more: Partial<WriteReportOptions> = {}): WriteReportOptions => ({ images: 1, pictures: false, notice: () => undefined, progress: () => undefined, now: new Date('2030-02-03T22:00:00Z'), ...more });
async function written(runs: readonly string[], more: Partial<WriteReportOptions> = {}): Promise<string> {
  const output = join(root, 'report.html');
  await writeReport(runs, output, options(more));
  return readFileSync(output, 'utf8');
}

describe('a report', () => {
  it('has its sections in order, those of pictures only where they are wanted', async () => {
    const ids = (page: string): string[] => [...page.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id as string);
    const folder = run('a');
    expect(ids(await written([folder]))).toEqual(['overview', 'training', 'sampler', 'evaluation', 'provenance']);
    expect(ids(await written([folder], { pictures: true }))).toEqual(['overview', 'training', 'reconstructions', 'sampler', 'evaluation', 'attention', 'provenance']);
  });

  it('is titled by its run, or by how many there are', async () => {
    expect(await written([run('a')])).toContain('<title>Report on a</title>');
    expect(await written([join(root, 'a'), run('b')])).toContain('<title>Report on 2 runs</title>');
  });

  it('says on which day it was made', async () => {
    expect(await written([run('a')])).toContain('on 2030-02-03.');
  });

  it('shows names of folders as they are, and runs nothing that stands in them', async () => {
    const page = await written([run('<img src=x onerror=alert(1)>'), run('жарко & "so"')]);
    expect(page).not.toContain('<img src=x');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toContain('жарко &amp; &quot;so&quot;');
  });

  it('loads nothing from elsewhere', async () => {
    const page = await written([run('a')]);
    expect([...page.matchAll(/(?:src|href)="(?!data:|#)([^"]*)"/g)].map(([, target]) => target)).toEqual([]);
  });

  it('draws the level of a constant prediction once for patches of one size, with letters where sizes differ', async () => {
    const normalised = (patch: number): string => `extends: mae/mnist-quickstart\nmethod: { normPix: true, patchSize: ${patch} }\n`;
    const levels = (page: string): string[] => [...new Set(page.match(/each patch by its mean[^<]*/g))];
    expect(levels(await written([run('a', normalised(4)), run('b', normalised(4))]))).toEqual(['each patch by its mean: 0.938']);
    expect(levels(await written([join(root, 'a'), join(root, 'b'), run('c', normalised(7))]))).toEqual(['each patch by its mean (A, B): 0.938', 'each patch by its mean (C): 0.980']);
  });

  it('says what stands in the way of pictures', async () => {
    expect(await written([run('a')], { pictures: true })).toContain('This run has no checkpoint yet.');
  });

  it('is made of a run whose early version recorded less', async () => {
    writeFileSync(join(run('a'), 'environment.json'), '{ "created": "2029-01-01T00:00:00.000Z" }');
    expect(await written([join(root, 'a')])).toContain('2029-01-01 00:00:00 UTC');
  });
});

describe('where a report goes', () => {
  it('is its file alone, in a folder that is made', async () => {
    const folder = run('a');
    const before = readdirSync(folder);
    await writeReport([folder], join(root, 'deep', 'er', 'page.html'), options());
    expect(readdirSync(join(root, 'deep', 'er'))).toEqual(['page.html']);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('is refused where it is a folder', async () => {
    await expect(writeReport([run('a')], root, options())).rejects.toThrow(/is a folder, a file is expected\n.*--output/);
  });

  it('is not touched for what is no run', async () => {
    await expect(writeReport([join(root, 'none')], join(root, 'out', 'page.html'), options())).rejects.toThrow('there is no such run');
    expect(existsSync(join(root, 'out'))).toBe(false);
  });
});
