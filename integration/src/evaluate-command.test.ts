import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadWeights, saveWeights, type ParamSpecs } from '@mimlab/core';
import { vitEncoder } from '@mimlab/nn';
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';
import { runInProcess as mimlab } from './in-process.js';

interface Results {
  readonly accuracy: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly { readonly name: string; readonly samples: number }[];
  readonly labelled: number;
  readonly leaks: readonly unknown[];
  readonly config: { readonly protocol: { readonly settings: Readonly<Record<string, unknown>> }; readonly data: Readonly<Record<string, unknown>>; readonly model: Readonly<Record<string, unknown>> };
}

const resultsOf = (folder: string): Results => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results;
const answers = ({ accuracy, interval, confusion }: Results) => ({ accuracy, interval, confusion });

let root: string;
let run: string;
let model: string;
let config: string;
beforeAll(async () => {
  root = await temporaryFolder();
  run = join(root, 'run');
  config = join(root, 'tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(root, 'mnist'))));
  await mimlab('pretrain', config, '--output', run, '--set', 'train.epochs=1', '--set', 'train.checkpointEvery=100');
  model = join(run, 'checkpoints', 'step-00000004', 'model.safetensors');
}, 120_000);

let count = 0;
/** Evaluates and gives back results and notes. */
async function evaluate(of: string, ...args: string[]): Promise<Results & { readonly notes: readonly string[]; readonly folder: string }> {
  const folder = join(root, `evaluation-${count++}`);
  const { out, notes } = await mimlab('evaluate', of, '--output', folder, ...args);
  expect(out).toEqual([folder]);
  return { ...resultsOf(folder), notes, folder };
}

const KNN = ['--protocol', 'knn', '--set', 'k=3'];
const TUNE = ['--set', 'epochs=1', '--set', 'warmupEpochs=0', '--set', 'batch=8', '--set', 'mix={}', '--set', 'lr=0.01'];

describe('mimlab evaluate', () => {
  it('gives the same numbers from a run, its checkpoint, an exported file and the encoder alone under official names', async () => {
    const expected = answers(await evaluate(run, ...KNN));
    expect(answers(await evaluate(join(run, 'checkpoints', 'step-00000004'), ...KNN))).toEqual(expected);
    const exported = join(root, 'exported.safetensors');
    copyFileSync(model, exported);
    expect(answers(await evaluate(exported, '--config', config, ...KNN))).toEqual(expected);
    // As released files have it: the encoder without decoder, and a head of another task.
    const specs: ParamSpecs = vitEncoder({ image: { height: 16, width: 16, channels: 1 }, patch: { height: 4, width: 4 }, width: 8, depth: 1, heads: 2, mlpRatio: 4, embedPatches: 'visible' }).params();
    const { values } = await loadWeights(model, specs, { strict: false });
    const head: ParamSpecs = { 'head.bias': { shape: [5], trainable: true, init: () => new Float32Array(5), layout: { kind: 'same' } } };
    const official = join(root, 'official.safetensors');
    await saveWeights(official, { ...values, 'head.bias': { shape: [5], dtype: 'float32', data: new Float32Array(5) } }, { ...specs, ...head });
    const read = await evaluate(official, '--config', config, ...KNN);
    expect(answers(read)).toEqual(expected);
    expect(read.notes.join()).toContain('not used: head.bias');
  }, 120_000);

  it('writes accuracy with its interval, every class, the confusion matrix and the whole configuration', async () => {
    const { accuracy, interval, confusion, perClass, config: whole } = await evaluate(run, ...KNN);
    expect(interval.low).toBeLessThanOrEqual(accuracy);
    expect(interval.high).toBeGreaterThanOrEqual(accuracy);
    expect(confusion).toHaveLength(10);
    expect(perClass.map(({ samples }) => samples).reduce((a, b) => a + b)).toBe(32);
    expect(whole.protocol.settings).toEqual({ k: 3, temperature: 0.07, pool: 'mean', batch: 256 });
    expect(whole.data).toMatchObject({ dataset: 'mnist', size: [16, 16], mean: [0.1307] });
  }, 60_000);

  it('warns that the test images are the training images', async () => {
    const { notes, leaks } = await evaluate(run, ...KNN);
    expect(leaks).toHaveLength(32);
    expect(notes.join('\n')).toContain('warning: 32 of 32 test images are also training images');
    const unchecked = await evaluate(run, ...KNN, '--no-leak-check');
    expect(unchecked.notes.join('\n')).not.toContain('warning');
  }, 60_000);

  it('shows the results again when it is asked again, and refuses other settings in the same folder', async () => {
    const { folder } = await evaluate(run, ...KNN);
    const again = await mimlab('evaluate', run, ...KNN, '--output', folder);
    expect(again.notes.join('\n')).toContain('holds the results already');
    await expect(mimlab('evaluate', run, ...KNN, '--set', 'k=5', '--output', folder)).rejects.toThrow(/holds another evaluation:\n {2}protocol.settings.k: was 3, is 5/);
  }, 60_000);

  it('fine-tunes at another resolution, and classifies with what it left', async () => {
    const tuned = await evaluate(run, '--protocol', 'finetune', ...TUNE, '--set', 'data.size=32');
    expect(existsSync(join(tuned.folder, 'model.safetensors'))).toBe(true);
    const asked = await evaluate(tuned.folder, '--protocol', 'classify');
    expect(asked.confusion).toEqual(tuned.confusion);
    expect(asked.config.data).toMatchObject({ size: [32, 32] });
  }, 120_000);

  it('learns from few labels of every class', async () => {
    const { labelled } = await evaluate(run, '--protocol', 'linear', ...TUNE.slice(0, 4), '--set', 'batch=4', '--labels', '1');
    expect(labelled).toBe(10);
  }, 60_000);

  it('evaluates an encoder that was never trained, from its configuration', async () => {
    const { config: whole } = await evaluate(config, '--untrained', ...KNN);
    expect(whole.model).toMatchObject({ weights: 'untrained' });
  }, 60_000);

  it.each([
    ['a protocol that does not exist', () => [run, '--protocol', 'knnn'], /no protocol 'knnn'.*knn/s],
    ['a key that the protocol does not know', () => [run, '--protocol', 'knn', '--set', 'neighbours=3'], /neighbours: unknown key; known keys: k, temperature/],
    ['a weight file without its configuration', () => [model, '--protocol', 'knn'], /does not say what model it belongs to/],
    ['a configuration without weights', () => [config, '--protocol', 'knn'], /does not say what model it belongs to|no such run or weight file/],
    ['a data set of an unknown kind', () => [run, '--protocol', 'knn', '--data', 'cifar'], /no data set 'cifar'/],
    ['a budget that is no number', () => [run, '--protocol', 'knn', '--labels', 'some'], /'some' is no number of labels/],
  ])('refuses %s', async (_, args, message) => {
    await expect(mimlab('evaluate', ...args(), '--output', join(root, 'refused'))).rejects.toThrow(message);
    expect(existsSync(join(root, 'refused'))).toBe(false);
  });

  it('refuses weights of another network, naming what is missing', async () => {
    const other = join(root, 'other.safetensors');
    mkdirSync(root, { recursive: true });
    await saveWeights(other, { 'fc.weight': { shape: [1], dtype: 'float32', data: new Float32Array(1) } }, { 'fc.weight': { shape: [1], trainable: true, init: () => new Float32Array(1), layout: { kind: 'same' } } });
    await expect(evaluate(other, '--config', config, ...KNN)).rejects.toThrow(/'cls_token' is missing[\s\S]*'fc.weight' is not known to the model/);
  }, 60_000);
});
