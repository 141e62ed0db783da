import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, TrainingError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-evaluation.js';
import type { Features } from '../features.js';
import { openEvaluationFolder } from './evaluation-folder.js';

const root = temporaryFolder();
const config = { seed: 1, data: { path: '/here', size: 8 } };
const features: Features = { values: Float32Array.of(1, 2, 3, 4), width: 2, count: 2, labels: Int32Array.of(0, 1) };

describe('the folder of an evaluation', () => {
  it('is opened again by the same evaluation, wherever its data lie now', async () => {
    const path = join(root, 'same');
    await (await openEvaluationFolder(path, config)).release();
    const again = await openEvaluationFolder(path, { ...config, data: { ...config.data, path: '/there' } });
    expect(again.path).toBe(path);
    await again.release();
  });

  it('is refused to another evaluation, key by key', async () => {
    const path = join(root, 'other');
    const first = await openEvaluationFolder(path, config);
    await first.cached('features-test', async () => features);
    await first.release();
    await expect(openEvaluationFolder(path, { seed: 2, data: { path: '/here', size: 9 } })).rejects.toThrow(/holds another evaluation:\n {2}data.size: was 8, is 9\n {2}seed: was 1, is 2/);
  });

  it('is free for another evaluation as long as nothing was computed', async () => {
    const path = join(root, 'failed-at-once');
    await (await openEvaluationFolder(path, config)).release();
    const other = { seed: 2, data: { path: '/here', size: 9 } };
    await (await openEvaluationFolder(path, other)).release();
    expect(JSON.parse(readFileSync(join(path, 'evaluation.json'), 'utf8'))).toEqual(other);
  });

  it('is refused where it holds something else, which stays as it is', async () => {
    const path = join(root, 'full');
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.txt'), 'mine');
    await expect(openEvaluationFolder(path, config)).rejects.toThrow(/is not empty and holds no evaluation \(thesis.txt\)/);
  });

  it('belongs to one process at a time', async () => {
    const path = join(root, 'held');
    const held = await openEvaluationFolder(path, config);
    await expect(openEvaluationFolder(path, config)).rejects.toThrow(TrainingError);
    await held.release();
  });

  it('keeps features that were made once', async () => {
    const folder = await openEvaluationFolder(join(root, 'cache'), config);
    let made = 0;
    const make = async (): Promise<Features> => {
      made++;
      return features;
    };
    expect(await folder.cached('features-train', make)).toEqual(features);
    expect(await folder.cached('features-train', make)).toEqual(features);
    expect(made).toBe(1);
    await folder.release();
  });

  it('has no features of an extraction that failed', async () => {
    const folder = await openEvaluationFolder(join(root, 'failed'), config);
    await expect(folder.cached('features-test', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
    expect(await folder.cached('features-test', async () => features)).toEqual(features);
    await folder.release();
  });

  it('keeps answers about a set of images, with its classes', async () => {
    const folder = await openEvaluationFolder(join(root, 'answers'), config);
    const answers = { predicted: Int32Array.of(1, 0), labels: Int32Array.of(1, 1), classes: ['n01', 'n02'], top5: 0.75 };
    const { top5, ...without } = answers;
    expect(top5).toBe(0.75);
    expect(await folder.answers('inA', async () => answers)).toEqual(answers);
    expect(await folder.answers('inA', () => Promise.reject(new Error('asked again')))).toEqual(answers);
    await folder.answers('fog-3', async () => without);
    expect(await folder.answers('fog-3', () => Promise.reject(new Error('asked again')))).toEqual(without);
    await folder.release();
  });

  it('says so where a kept file holds something else', async () => {
    const folder = await openEvaluationFolder(join(root, 'mixed'), config);
    await folder.cached('answers/inA', async () => features);
    await expect(folder.answers('inA', () => Promise.reject(new Error('asked')))).rejects.toThrow(/holds no answers\n.*Delete the file/);
    await folder.release();
  });

  it('gives results back as they were written, or none', async () => {
    const folder = await openEvaluationFolder(join(root, 'results'), config);
    expect(await folder.results()).toBeUndefined();
    const results = { accuracy: 0.5, confusion: [[1, 2], [3, 4]], name: '[1, 2]', empty: [] };
    await folder.writeResults(results);
    expect(await folder.results()).toEqual(results);
    await folder.release();
  });

  it('leaves texts in results as they are, whatever stands in them', async () => {
    const folder = await openEvaluationFolder(join(root, 'texts'), config);
    const results = { perClass: [{ name: 'a [1,  2] b' }, { name: '"[3,  4]' }, { name: 'c\\"[5,\t\t6]' }], confusion: [[1, 0], [0, 1]] };
    await folder.writeResults(results);
    expect(await folder.results()).toEqual(results);
    expect(readFileSync(join(root, 'texts', 'results.json'), 'utf8')).toContain('[ 1, 0 ],');
    await folder.release();
  });

  it('says which file to delete where results cannot be read', async () => {
    const path = join(root, 'torn');
    const folder = await openEvaluationFolder(path, config);
    writeFileSync(join(path, 'results.json'), '{"accuracy": 0.');
    await expect(folder.results()).rejects.toThrow(CheckpointError);
    await expect(folder.results()).rejects.toThrow(/results\.json: cannot be read as JSON\n.*Delete the file/);
    await folder.release();
  });

  it('is not held by whoever was refused it', async () => {
    const path = join(root, 'freed');
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.txt'), 'mine');
    await expect(openEvaluationFolder(path, config)).rejects.toThrow('thesis.txt');
    rmSync(join(path, 'thesis.txt'));
    await (await openEvaluationFolder(path, config)).release();
    expect(readdirSync(path).sort()).toEqual(['checkpoints', 'evaluation.json']);
  });

  it('drops rows of its curve behind the update that is gone on from', async () => {
    const path = join(root, 'curve');
    const folder = await openEvaluationFolder(path, config);
    await folder.truncateCurve(0);
    for (const step of [10, 20, 30]) folder.appendCurve({ step, epoch: step / 10, loss: 1, lr: 0.1, gradNorm: 2 });
    await folder.truncateCurve(20);
    expect(readFileSync(join(path, 'curve.jsonl'), 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([10, 20]);
    await folder.release();
  });
});
