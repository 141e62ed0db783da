import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '@mimlab/engine';
import type { PretrainSummary } from '@mimlab/train';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../failure.js';
import { trainRun, type TrainRunOptions } from '../run/train-run.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { measureFeatures } from './measure-features.js';
import { quickstart } from './quickstart.js';
import type { QuickstartResults } from './report.js';

// Training on MNIST takes minutes; what is made of it does not.
vi.mock('../run/train-run.js', () => ({ trainRun: vi.fn(), runStatistics: () => Promise.resolve({ mean: [0.5], std: [0.25] }) }));
vi.mock('./measure-features.js', async (original) => ({ ...(await original<object>()), measureFeatures: vi.fn() }));
vi.mock('../pictures/prepared-images.js', () => ({ preparedImages: (_: unknown, __: unknown, count: number) => Promise.resolve(Array.from({ length: count }, () => new Uint8Array(784))) }));
vi.mock('../pictures/predict-pixels.js', async (original) => ({
  ...(await original<object>()),
  predictPixels: ({ images }: { images: readonly Uint8Array[] }) => {
    const picture = { height: 28, width: 28, channels: 1, pixels: images[0] };
    const plan = { grid: { rows: 7, columns: 7 }, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.of(2) };
    return Promise.resolve(images.map(() => ({ original: picture, reconstruction: picture, plan })));
  },
}));

const folder = mkdtempSync(join(tmpdir(), 'mimlab-quickstart-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.mocked(trainRun).mockReset();
  vi.mocked(measureFeatures).mockReset();
});

/** Has the quickstart meet a training that ends so. */
function training(outcome: PretrainSummary['outcome'], meanwhile: (options: TrainRunOptions) => void = () => undefined): void {
  vi.mocked(trainRun).mockImplementation(async (options) => {
    mkdirSync(options.output, { recursive: true });
    writeFileSync(join(options.output, 'metrics.jsonl'), [0.9, 0.6, 0.3].map((loss, i) => `${JSON.stringify({ step: i + 1, loss })}\n`).join(''));
    meanwhile(options);
    if (outcome === 'finished') await options.afterwards?.({ description: 'an engine' } as unknown as Engine);
    return { outcome, update: outcome === 'finished' ? 30 : 12, updates: 30, loss: 0.3, checkpoint: '', runFolder: options.output, seconds: 5 };
  });
  vi.mocked(measureFeatures).mockImplementation(({ labelsPerClass: [labels = 0] }) => {
    const score = { accuracy: 0.9, standardError: 0.01 };
    return Promise.resolve([{ features: 'pre-trained', all: score, few: [{ labelsPerClass: labels, draws: [0.9], ...score }] }]);
  });
}

describe('the quickstart', () => {
  it('leaves curve, reconstructions and results in the folder of its run, and shows curve and table', async () => {
    training('finished');
    const [output, terminal] = [join(folder, 'erste Schritte'), recordedTerminal()];
    await quickstart({ output }, terminal);
    expect(readdirSync(output).sort()).toEqual(['loss.png', 'loss.svg', 'metrics.jsonl', 'reconstructions.png', 'results.json', 'results.md']);
    const results = JSON.parse(readFileSync(join(output, 'results.json'), 'utf8')) as QuickstartResults;
    expect(results).toMatchObject({ preset: 'mae/mnist-quickstart', updates: 30, trainSeconds: 5, engine: 'an engine', firstLoss: 0.9, lastLoss: 0.3 });
    expect(results.costRatio).toBeLessThan(1);
    expect(terminal.lines.join('\n')).toMatch(/update 3\n\nfeatures +10 labels a class +all labels\npre-trained +90\.0 ± 1\.0 % +90\.0 %\n\n.*everything is in .*erste Schritte/);
  });

  it('that is stopped says how to go on, and leaves no results', async () => {
    training('stopped');
    const [output, terminal] = [join(folder, 'stopped'), recordedTerminal()];
    const error: unknown = await quickstart({ output }, terminal).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Interrupted);
    expect((error as Error).message).toBe(`Stopped after update 12 of 30. Go on with: mimlab pretrain --resume ${output}`);
    expect(existsSync(join(output, 'results.json'))).toBe(false);
    expect(vi.mocked(measureFeatures)).not.toHaveBeenCalled();
  });

  it('gives Ctrl-C back before it measures, and when it fails', async () => {
    const listening = (): number => process.listenerCount('SIGINT');
    const [before, seen]: [number, number[]] = [listening(), []];
    training('finished', () => seen.push(listening()));
    vi.mocked(measureFeatures).mockImplementation(() => {
      seen.push(listening());
      return Promise.reject(new Error('no memory'));
    });
    await expect(quickstart({ output: join(folder, 'failing') }, recordedTerminal())).rejects.toThrow('no memory');
    expect(seen).toEqual([before + 1, before]);
    expect(listening()).toBe(before);
  });
});
