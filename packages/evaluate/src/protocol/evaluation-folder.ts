import { appendFileSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CheckpointError, TrainingError } from '@mimlab/core';
import { clearUnfinished, configDifferences, ensureFolder, onDisk, takeRunLock, truncateMetrics, writeFileAtomically, type StoredConfig } from '@mimlab/train';
import type { Features } from '../features.js';
import { keptAnswers, keptFeatures } from './kept-files.js';
import type { SetPredictions } from './results.js';

/** The exact configuration of an evaluation. */
export const EVALUATION_FILE = 'evaluation.json';
export const RESULTS_FILE = 'results.json';

/** One row of curve.jsonl. */
export interface CurveRow {
  /** Updates done. */
  readonly step: number;
  /** Epochs done, a real number. */
  readonly epoch: number;
  /** Mean over the micro-batches of this update. */
  readonly loss: number;
  readonly lr: number;
  /** Before clipping. */
  readonly gradNorm: number;
}

/** A folder that keeps what an evaluation has done, held by this process until `release`. */
export interface EvaluationFolder {
  readonly path: string;
  readonly config: StoredConfig;
  readonly checkpoints: string;
  /** Adds a row to curve.jsonl; drops those behind an update, which are computed again. */
  appendCurve(row: CurveRow): void;
  truncateCurve(update: number): Promise<void>;
  /** Features made once, and read from the disk after that: they follow from the configuration. */
  cached(name: string, make: () => Promise<Features>): Promise<Features>;
  /** Answers about a set of images, likewise. */
  answers(name: string, ask: () => Promise<SetPredictions>): Promise<SetPredictions>;
  /** The results of an evaluation that is done; undefined before. */
  results(): Promise<unknown>;
  writeResults(results: unknown): Promise<void>;
  release(): Promise<void>;
}

/**
 * Creates the folder of an evaluation, or opens one that was interrupted.
 * @throws TrainingError if it holds something else, another evaluation, or another process uses it
 */
export async function openEvaluationFolder(given: string, config: StoredConfig): Promise<EvaluationFolder> {
  const path = resolve(given);
  await ensureFolder(path);
  const lock = await takeRunLock(join(path, 'run.lock'));
  try {
    const stored = await readJson(join(path, EVALUATION_FILE));
    if (stored === undefined) await begin(path, config);
    else if (await nothingDone(path)) await writeFileAtomically(join(path, EVALUATION_FILE), configText(config));
    else refuseOther(path, stored as StoredConfig, config);
    const checkpoints = join(path, 'checkpoints');
    const curve = join(path, 'curve.jsonl');
    await onDisk(checkpoints, () => mkdir(checkpoints, { recursive: true }));
    await clearUnfinished(checkpoints);
    return {
      path,
      config,
      checkpoints,
      appendCurve(row) {
        appendFileSync(curve, `${JSON.stringify(row)}\n`);
      },
      truncateCurve: async (update) => {
        await truncateMetrics(curve, update);
      },
      cached: (name, make) => keptFeatures(join(path, `${name}.safetensors`), make),
      answers: (name, ask) => keptAnswers(join(path, 'answers', `${name}.safetensors`), ask),
      results: () => readJson(join(path, RESULTS_FILE)),
      writeResults: (results) => writeFileAtomically(join(path, RESULTS_FILE), `${jsonText(results)}\n`),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function begin(path: string, config: StoredConfig): Promise<void> {
  const other = (await onDisk(path, () => readdir(path))).filter((name) => !name.startsWith('run.lock') && !name.startsWith(`${EVALUATION_FILE}.tmp-`));
  if (other.length > 0) throw new TrainingError(`is not empty and holds no evaluation (${other[0]})`, { place: path, remedy: 'Choose another --output; nothing there was touched.' });
  await writeFileAtomically(join(path, EVALUATION_FILE), configText(config));
}

const configText = (config: StoredConfig): string => `${JSON.stringify(config, null, 2)}\n`;

/** What stands in the folder before anything was computed: an evaluation that failed at once must not keep its place. */
const AT_FIRST = /^(evaluation\.json|config\.yaml|checkpoints|run\.lock.*)$/;

async function nothingDone(path: string): Promise<boolean> {
  const checkpoints = await readdir(join(path, 'checkpoints')).catch(() => []);
  return checkpoints.length === 0 && (await onDisk(path, () => readdir(path))).every((name) => AT_FIRST.test(name));
}

function refuseOther(path: string, stored: StoredConfig, config: StoredConfig): void {
  const differences = configDifferences(stored, config);
  if (differences.length === 0) return;
  const lines = differences.map(({ key, before, now }) => `${key}: was ${before}, is ${now}`);
  throw new TrainingError(`holds another evaluation:\n  ${lines.join('\n  ')}`, { place: path, remedy: 'Choose another --output, or give the settings it was made with.' });
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CheckpointError('cannot be read as JSON', { place: path, cause, remedy: 'Delete the file; what it held is made again.' });
  }
}

/** Indented, but lists of numbers in one line each. Texts are passed over, whatever stands in them. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/"(?:[^"\\]|\\.)*"|\[[\d\s,.eE+-]*\]/g, (found) => (found.startsWith('"') ? found : found.replace(/\s+/g, ' ')));
