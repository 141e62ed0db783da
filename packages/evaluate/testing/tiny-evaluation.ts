import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream, type Encoder, type ImageSpec, type RandomStream } from '@mimlab/core';
import type { DatasetRef } from '@mimlab/data';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import { vitEncoder } from '@mimlab/nn';
import { afterAll } from 'vitest';
import { parseLabelBudget } from '../src/label-subset.js';
import { loadEncoder } from '../src/model/load-encoder.js';
import { evaluate, type EvaluationResults } from '../src/protocol/evaluate.js';
import { openEvaluationData } from '../src/protocol/evaluation-data.js';
import { openEvaluationFolder } from '../src/protocol/evaluation-folder.js';
import type { EvaluationRecord, Protocol } from '../src/protocol/protocol.js';

/** A folder of its own for one test file, removed afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimlab-evaluate-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const SIDE = 8;
export const IMAGE: ImageSpec = { height: SIDE, width: SIDE, channels: 1 };

function idx(sides: readonly number[], data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sides.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + sides.length);
  sides.forEach((side, i) => {
    view.setUint32(4 + 4 * i, side);
  });
  bytes.set(data, 4 + 4 * sides.length);
  return bytes;
}

/** What the four classes look like: dark, bright, rows and columns. */
const IS_BRIGHT: readonly ((row: number, column: number) => boolean)[] = [() => false, () => true, (row) => row % 2 === 0, (_, column) => column % 2 === 0];

/** The pattern of a class over noise, `side` x `side` bytes. */
export const patternOf = (label: number, random: RandomStream, side = SIDE): number[] =>
  Array.from({ length: side * side }, (_, p) => (IS_BRIGHT[label % 4]?.(Math.floor(p / side), p % side) === true ? 170 : 20) + random.int(60));

/** Images in MNIST's format: the pattern of their class over noise. No image occurs twice. */
export function writePatterns(folder: string, train = 32, test = 16): DatasetRef & { readonly split: 'train' } {
  mkdirSync(folder, { recursive: true });
  for (const [name, count] of [['train', train], ['t10k', test]] as const) {
    const random = randomStream('patterns', name);
    const labels = Array.from({ length: count }, (_, i) => i % 4);
    const pixels = labels.flatMap((label) => patternOf(label, random));
    writeFileSync(join(folder, `${name}-images-idx3-ubyte`), idx([count, SIDE, SIDE], pixels));
    writeFileSync(join(folder, `${name}-labels-idx1-ubyte`), idx([count], labels));
  }
  return { dataset: 'mnist', path: folder, split: 'train' };
}

export const tinyEncoder = (image: ImageSpec = IMAGE): Encoder =>
  vitEncoder({ image, patch: { height: 4, width: 4 }, width: 8, depth: 2, heads: 2, mlpRatio: 2, embedPatches: 'all' });

export interface TinyRun {
  readonly protocol: Protocol;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly data: DatasetRef & { readonly split: 'train' };
  readonly output: string;
  readonly encoder?: Encoder;
  readonly weights?: string;
  readonly labels?: string;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly report?: (record: EvaluationRecord) => void;
  readonly create?: () => Promise<Engine>;
}

export const cpuEngine = (): Promise<Engine> => createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });

/** Evaluates a tiny encoder, untrained unless `weights` are named. */
export async function evaluateTiny(run: TinyRun): Promise<EvaluationResults> {
  const { protocol, data: train, output, encoder = tinyEncoder(), weights, labels = 'all', seed = 0, signal, report, create = cpuEngine } = run;
  const settings = protocol.configSchema.parse(run.settings);
  const { data, leaks } = await openEvaluationData({
    ...(protocol.learns === false ? {} : { train }),
    test: { ...train, split: 'test' },
    image: IMAGE,
    cropFraction: 1,
    labels: parseLabelBudget(labels),
    seed,
    workers: 0,
    prefetch: 0,
    leaks: () => undefined,
  });
  const folder = await openEvaluationFolder(output, { seed, labels, protocol: { name: protocol.name, settings } });
  const engine = await create();
  try {
    return await evaluate({
      protocol,
      settings,
      data,
      leaks,
      engine,
      seed,
      folder,
      model: {
        encoder,
        image: IMAGE,
        statistics: { mean: [0.5], std: [0.25] },
        ...(weights === undefined ? {} : { weights }),
        encoderValues: () => loadEncoder({ weights, source: encoder, target: encoder, pretraining: encoder.params(), seed: 7, notice: () => undefined }),
      },
      ...(signal === undefined ? {} : { signal }),
      ...(report === undefined ? {} : { report }),
    });
  } finally {
    engine.dispose();
    await folder.release();
  }
}
