import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '@mimlab/core';
import { CORRUPTIONS } from '@mimlab/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { greyPng } from '../../testing/grey-png.js';
import { evaluateTiny, patternOf, temporaryFolder, writePatterns, type TinyRun } from '../../testing/tiny-evaluation.js';
import { EvaluationStopped } from '../protocol/protocol.js';
import { findProtocol } from '../protocol/registry.js';
import type { CorruptionSummary } from '../robustness/corruption-error.js';

const root = temporaryFolder();
const SIDE = 8;
let data: TinyRun['data'];
let weights: string;
let inC: string;

/** Images of one class, as the model learnt them. */
function writeImages(folder: string, label: number, count: number, side = SIDE): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.png`), greyPng(side, Uint8Array.from(patternOf(label, randomStream('robustness', label, i), side))));
}

/** Class folders, each with images of the label that it is mapped to. */
function writeFolder(name: string, classes: Readonly<Record<string, number>>, count = 2): string {
  for (const [folder, label] of Object.entries(classes)) writeImages(join(root, name, folder), label, count);
  return join(root, name);
}

const ALL = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [String(i), i]));

beforeAll(async () => {
  data = writePatterns(join(root, 'data'));
  const output = join(root, 'tuned');
  const settings = { batch: 8, epochs: 12, warmupEpochs: 0.5, lr: 0.02, augment: { kind: 'none' }, mix: {}, layerDecay: 0.9, testBatch: 8 };
  await evaluateTiny({ protocol: await findProtocol('finetune'), settings, data, output });
  weights = join(output, 'model.safetensors');
  // The first severity of a corruption shows what the folders say; all others show dark images under every name.
  inC = join(root, 'c');
  for (const corruption of CORRUPTIONS) {
    for (const severity of [1, 2, 3, 4, 5]) writeFolder(`c/${corruption}/${severity}`, severity === 1 ? ALL : Object.fromEntries(Object.keys(ALL).map((name) => [name, 0])), 1);
  }
}, 120_000);

let count = 0;
const fresh = (): string => join(root, `evaluation-${count++}`);
const run = async (settings: Record<string, unknown>, more: Partial<TinyRun> = {}) =>
  evaluateTiny({ protocol: await findProtocol('robustness'), settings: { batch: 8, ...settings }, data, output: fresh(), weights, ...more });
const corrupted = ({ details }: Awaited<ReturnType<typeof run>>) => details['inC'] as CorruptionSummary & { readonly samples: number; readonly cropFraction: number };
const subset = { 1: 1, 3: 3 };

describe('robustness', () => {
  it('measures the test images as they are, and every set by its folder names', async () => {
    const { accuracy, samples, sets, labelled } = await run({ inA: writeFolder('a', subset), inSketch: writeFolder('sketch', ALL) });
    expect([samples, labelled]).toEqual([16, 0]);
    expect(accuracy).toBeGreaterThan(0.7);
    expect(Object.keys(sets ?? {})).toEqual(['inA', 'inSketch']);
    expect(sets?.['inA']?.perClass.map(({ name, samples: images }) => [name, images])).toEqual([['1', 2], ['3', 2]]);
    expect(sets?.['inSketch']).toMatchObject({ samples: 20 });
  });

  it('lets the classes of ImageNet-A and -R alone be answers', async () => {
    // Images of class 0 under the name 1: only 1 and 3 may be answered, so 0 is not taken for anything else.
    const { sets } = await run({ inR: writeFolder('r', { 1: 0, 3: 0 }) });
    const confusion = sets?.['inR']?.confusion as number[][];
    expect(confusion).toHaveLength(2);
    expect(confusion.flat().reduce((a, b) => a + b, 0)).toBe(4);
  });

  it('wants all classes of the head in sketches, unless a part is asked for', async () => {
    const inSketch = writeFolder('few', subset);
    await expect(run({ inSketch })).rejects.toThrow(/the head \(10\): 0, 1.*\n.*the data set \(2\): 1, 3[\s\S]*subset=true/);
    expect((await run({ inSketch, subset: true })).sets?.['inSketch']).toMatchObject({ samples: 4 });
  });

  it('refuses a class that the head lacks, both lists shown, before anything is computed', async () => {
    const output = fresh();
    await expect(run({ inA: writeFolder('foreign', { 1: 1, cat: 2 }) }, { output })).rejects.toThrow(/the head \(10\): 0, 1[\s\S]*the data set \(2\): 1, cat[\s\S]*only the data set: cat/);
    expect(existsSync(join(output, 'answers'))).toBe(false);
  });

  it('gives the error of every corruption and severity, and their mean', async () => {
    const { meanError, mCE, corruptions, missing, samples, cropFraction } = corrupted(await run({ inC }));
    const fog = corruptions.fog?.severities as Record<string, number>;
    // Dark images under ten names: one name is right.
    expect([fog['2'], fog['5']]).toEqual([0.9, 0.9]);
    expect(fog['1']).toBeLessThan(0.9);
    expect(corruptions.fog?.error).toBeCloseTo(((fog['1'] as number) + 4 * 0.9) / 5, 12);
    expect(meanError).toBeCloseTo(corruptions.fog?.error as number, 12);
    expect([mCE, missing, samples, cropFraction]).toEqual([undefined, [], 10, 1]);
  });

  it('lists what is missing, and goes without it when asked to', async () => {
    const part = join(root, 'part');
    for (const severity of [1, 3]) writeFolder(`part/snow/${severity}`, ALL, 1);
    await expect(run({ inC: part })).rejects.toThrow(/lacks 73 of 75.*snow\/2/);
    const { missing, corruptions } = corrupted(await run({ inC: part, present: true }));
    expect(missing).toHaveLength(14 + 3);
    expect(Object.keys(corruptions)).toEqual(['snow']);
  });

  it('refuses a corruption that lacks images', async () => {
    for (const severity of [1, 2]) writeFolder(`torn/fog/${severity}`, ALL, 1);
    rmSync(join(root, 'torn/fog/2/7/0.png'));
    writeImages(join(root, 'torn/fog/2/7'), 7, 3);
    await expect(run({ inC: join(root, 'torn'), present: true })).rejects.toThrow(/fog\/2: holds 12 images, fog\/1 has 10/);
  });

  it('cuts larger corrupted images as it cuts the test images', async () => {
    for (const name of Object.keys(ALL)) writeImages(join(root, 'large/fog/1', name), Number(name), 1, 2 * SIDE);
    expect(corrupted(await run({ inC: join(root, 'large'), present: true, cropC: 0.5 })).cropFraction).toBe(0.5);
    expect(corrupted(await run({ inC: join(root, 'large'), present: true })).cropFraction).toBe(1);
  });

  it('goes on with the set it was stopped in, to the same results', async () => {
    for (const severity of [1, 2, 3]) writeFolder(`resumed/fog/${severity}`, ALL, 1);
    const settings = { inA: writeFolder('a', subset), inC: join(root, 'resumed'), present: true };
    const whole = await run(settings);
    const output = fresh();
    const controller = new AbortController();
    const report: TinyRun['report'] = (record) => {
      if (record.kind === 'progress' && record.text === 'fog/2') controller.abort();
    };
    await expect(run(settings, { output, report, signal: controller.signal })).rejects.toThrow(EvaluationStopped);
    expect(readdirSync(join(output, 'answers')).sort()).toEqual(['inA.safetensors', 'inC-fog-1.safetensors', 'test.safetensors']);
    const asked: string[] = [];
    const rest = await run(settings, { output, report: (record) => record.kind === 'progress' && asked.push(record.text) });
    expect(new Set(asked)).toEqual(new Set(['fog/2', 'fog/3']));
    const { accuracy, confusion, sets, details } = rest;
    expect({ accuracy, confusion, sets, details }).toEqual({ accuracy: whole.accuracy, confusion: whole.confusion, sets: whole.sets, details: whole.details });
  });

  it('asks for something to measure', async () => {
    await expect(run({})).rejects.toThrow(/no images are named[\s\S]*inA, inR, inSketch, inC/);
  });
});
