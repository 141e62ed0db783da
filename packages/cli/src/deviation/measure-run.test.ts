import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMethods } from './compared-methods.js';
import { measureRun, type MeasuredRun, type MeasureRunOptions } from './measure-run.js';

/** Four images of a digit's size in MNIST's format: a few bytes are opened faster than the whole set. */
function writeImages(folder: string): void {
  mkdirSync(folder);
  const header = (...numbers: number[]): Buffer => Buffer.concat(numbers.map((number) => Buffer.from(Uint32Array.of(number).buffer).swap32()));
  for (const part of ['train', 't10k']) {
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), Buffer.concat([header(0x803, 4, 28, 28), Uint8Array.from({ length: 4 * 784 }, (_, at) => (37 * at + (at >> 5)) % 256)]));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), Buffer.concat([header(0x801, 4), Uint8Array.of(0, 1, 2, 3)]));
  }
}

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mimlab-measure-run-'));
  writeImages(join(root, 'images'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const tiny = (): string => `method: { patchSize: 7, width: 8, depth: 1, heads: 1, decoderWidth: 8, decoderHeads: 1 }\nengine: { kind: eager }\ndata: { workers: 0, path: ${join(root, 'images')} }\n`;
const PARTIAL = 'wrap: [{ plugin: pr-mim, throw: 0.5, sampling: random, reconstruction: partial }]\n';
/** A folder with the configuration of a run, which is all that initial weights need. */
function run(name: string, wrap: string): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.yaml'), `extends: mae/mnist-tiny\n${tiny()}${wrap}`);
  return folder;
}
const options = (more: Partial<MeasureRunOptions> = {}): MeasureRunOptions => ({ weights: 'init', methods: [], ratios: [], settings: [], batches: 2, plans: 1, batch: 2, fit: 1, seed: 0, report: () => undefined, ...more });
const kinds = ({ rows }: MeasuredRun): string[] => rows.map(({ method, sampler, throw: ratio, weights, run: name }) => `${method} ${sampler} ${ratio} ${weights} ${name}`);

describe('the deviation at the weights of a run', () => {
  it('is that of its method and of the loss subset beside it, named by its folder', async () => {
    const lines: string[] = [];
    const measured = await measureRun(run('mine', PARTIAL), options({ report: (line) => lines.push(line) }));
    expect(kinds(measured)).toEqual(['subset random 0.5 init mine', 'partial random 0.5 init mine']);
    expect(lines).toEqual(['mine: batch 1 of 2', 'mine: batch 2 of 2']);
    for (const { groups, floor, counts } of measured.rows) {
      expect(counts).toEqual({ visible: 4, retained: 4, thrown: 8 });
      expect(groups['encoder']?.relativeError.mean).toBeGreaterThan(0);
      expect(floor['encoder']?.cosine.mean).toBeLessThan(1);
    }
  });

  it('is measured for each method and ratio at weights of full reconstruction', async () => {
    const measured = await measureRun(run('full', 'wrap: []\n'), options({ methods: parseMethods('partial:random,partial:furthest'), ratios: [0.25, 0.5] }));
    expect(kinds(measured)).toEqual(['random 0.25', 'random 0.5', 'furthest 0.25', 'furthest 0.5'].map((form) => `partial ${form} init full`));
  });
});

describe('measuring is refused', () => {
  it('at weights of its own for a run that throws nothing', async () => {
    const folder = run('full', 'wrap: []\n');
    await expect(measureRun(folder, options({ weights: 'own' }))).rejects.toThrow(`${folder}: the run throws no tokens, so there is no method whose own weights these are\n  Leave '--weights' out`);
  });

  it('at common weights for a run that throws tokens', async () => {
    await expect(measureRun(run('mine', PARTIAL), options({ weights: 'common' }))).rejects.toThrow(/mine: common weights are those of full reconstruction[^]*Name a run without pr-mim/);
  });

  it('for a run without a checkpoint, unless initial weights were asked for', async () => {
    await expect(measureRun(run('mine', PARTIAL), options({ weights: 'own' }))).rejects.toThrow(CheckpointError);
  });

  it('for what is no run', async () => {
    await expect(measureRun(join(root, 'none'), options())).rejects.toThrow('there is no such run');
  });

  it('with the name of a sampler that there is not', async () => {
    await expect(measureRun(run('full', 'wrap: []\n'), options({ methods: parseMethods('partial:nearest'), ratios: [0.5] }))).rejects.toThrow('nearest');
  });

  it('with a setting of the wrapper that there is not', async () => {
    await expect(measureRun(run('full', 'wrap: []\n'), options({ methods: parseMethods('progressive:random'), ratios: [0.5], settings: ['aggregator.size=3'] }))).rejects.toThrow(/size/);
  });
});
