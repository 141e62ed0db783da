import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, saveWeights } from '@mimlab/core';
import { createEngine, findTensorflow, type Engine } from '@mimlab/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine, evaluateTiny, temporaryFolder, tinyEncoder, writePatterns, type TinyRun } from '../../testing/tiny-evaluation.js';
import { EvaluationStopped, type Protocol } from '../protocol/protocol.js';
import { findProtocol } from '../protocol/registry.js';

const root = temporaryFolder();
let data: TinyRun['data'];
beforeAll(() => {
  data = writePatterns(join(root, 'data'));
});
const fetch = (name: string): Promise<Protocol> => findProtocol(name);
let count = 0;
const fresh = (): string => join(root, `evaluation-${count++}`);

/** Settings under which a tiny network learns something in a moment. */
const QUICK = { batch: 8, epochs: 4, warmupEpochs: 0.5, lr: 0.02, checkpointEvery: 2, augment: { kind: 'none' } };
const SETTINGS: Record<string, Record<string, unknown>> = {
  knn: { k: 5, batch: 8 },
  linear: { ...QUICK, lr: 0.5, trust: 0.1, encodeBatch: 8 },
  partial: { ...QUICK, blocks: 1, mix: {}, testBatch: 8 },
  finetune: { ...QUICK, epochs: 6, dropPath: 0.1, layerDecay: 0.9, mix: { mixup: 0.8, cutmix: 1 }, accumulate: 2, testBatch: 8 },
};

const run = async (name: string, more: Partial<TinyRun> = {}) => evaluateTiny({ protocol: await fetch(name), settings: SETTINGS[name] ?? {}, data, output: fresh(), ...more });

/** What results say but for times and versions. */
const answers = ({ accuracy, interval, perClass, confusion, details }: Awaited<ReturnType<typeof run>>) => ({ accuracy, interval, perClass, confusion, details });

const engines: [string, () => Promise<Engine>][] = [['eager', cpuEngine]];
if (findTensorflow() === undefined) process.stdout.write('skipped on the graph engine, no libtensorflow found: protocols\n');
else engines.push(['graph', () => createEngine({ kind: 'graph', precision: 'fp32', threads: 1 })]);

const cases = Object.keys(SETTINGS).flatMap((name) => engines.map(([engine, create]) => [name, engine, create] as const));

describe.each(cases)('%s on the %s engine', (name, _, create) => {
  let whole: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    whole = await run(name, { create });
  });

  it('finds more than chance, and counts every test image', () => {
    const { accuracy, interval, samples, perClass, confusion, labelled, protocol } = whole;
    expect(accuracy).toBeGreaterThan(0.4);
    expect(interval.low).toBeLessThan(accuracy);
    expect(interval.high).toBeGreaterThan(interval.low);
    expect([samples, labelled, protocol]).toEqual([16, 32, name]);
    expect(perClass.slice(0, 4).map((row) => row.samples)).toEqual([4, 4, 4, 4]);
    expect(perClass.at(-1)).toMatchObject({ samples: 0, accuracy: null });
    expect(confusion.flat().reduce((a, b) => a + b, 0)).toBe(16);
  });

  it('goes on where it was stopped, to the same answers', async () => {
    const output = fresh();
    const controller = new AbortController();
    let seen = 0;
    const report: TinyRun['report'] = (record) => {
      if (record.kind === 'progress' && ++seen === 3) controller.abort();
    };
    await expect(run(name, { create, output, signal: controller.signal, report })).rejects.toThrow(EvaluationStopped);
    expect(answers(await run(name, { create, output }))).toEqual(answers(whole));
    expect(JSON.parse(readFileSync(join(output, 'results.json'), 'utf8'))).toMatchObject(answers(whole));
  });

  it('goes on behind its last checkpoint where it was killed, to the same answers', async () => {
    const output = fresh();
    let seen = 0;
    const report: TinyRun['report'] = (record) => {
      if (record.kind === 'progress' && ++seen === 4) throw new Error('killed');
    };
    await expect(run(name, { create, output, report })).rejects.toThrow('killed');
    expect(answers(await run(name, { create, output }))).toEqual(answers(whole));
  });
});

describe('the linear probe', () => {
  it('encodes once where it is told to, and then measures on features it kept', async () => {
    const { accuracy, details } = await run('linear', { settings: { ...SETTINGS['linear'], features: 'once' } });
    expect(accuracy).toBeGreaterThan(0.4);
    expect(details).toEqual({ pool: 'cls', width: 8 });
  });

  it('learns from few labels alone, the same share of every class', async () => {
    const { labelled } = await run('linear', { labels: '25%', settings: { ...SETTINGS['linear'], batch: 4 } });
    expect(labelled).toBe(8);
  });
});

describe('fine-tuning', () => {
  it('keeps frozen blocks as they were', async () => {
    const { details } = await run('partial', { settings: { ...SETTINGS['partial'], blocks: 'half' } });
    expect((details['parameters'] as { trained: number }).trained).toBe(8 * 2 + (8 * 16 + 16 + 16 * 8 + 8) + 8 * 2 + (8 * 10 + 10));
  });

  it('refuses more blocks than there are', async () => {
    await expect(run('partial', { settings: { ...SETTINGS['partial'], blocks: 3 } })).rejects.toThrow(/blocks: the network has 2 blocks, 3 cannot be tuned/);
  });

  it('leaves a model that classify asks, to the same answers', async () => {
    const output = fresh();
    const tuned = await run('finetune', { output });
    const asked = await run('classify', { weights: join(output, 'model.safetensors') });
    expect(asked.confusion).toEqual(tuned.confusion);
    expect(asked).toMatchObject({ labelled: 0, details: { pool: 'mean', headClasses: 10 } });
  });

  it('says what it lacks where the encoder does not tell its network', async () => {
    const { trunk, ...bare } = tinyEncoder();
    expect(trunk).toBeDefined();
    await expect(run('finetune', { encoder: bare })).rejects.toThrow(/no classifier can be built/);
  });
});

describe('classify', () => {
  it('refuses a file without a head', async () => {
    const path = join(root, 'headless.safetensors');
    const specs = tinyEncoder().params();
    await saveWeights(path, Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, { shape, dtype: 'float32' as const, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }])), specs);
    await expect(run('classify', { weights: path })).rejects.toThrow(/has no 'head.bias', so it is no classifier/);
    await expect(run('classify')).rejects.toThrow(/an untrained encoder has no head/);
  });
});

describe('data', () => {
  it('that ask for more labels than a class has are refused', async () => {
    await expect(run('knn', { labels: '9' })).rejects.toThrow(DataError);
  });
});
