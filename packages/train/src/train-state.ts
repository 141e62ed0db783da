import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, TrainingError } from '@mimlab/core';
import { writeFileAtomically } from './disk.js';

export const STATE_FILE = 'state.json';
const FORMAT = 1;

/** A resolved configuration as plain data; `seed` aside, what it holds is its owner's. */
export type StoredConfig = Readonly<Record<string, unknown>>;

/** Where training stands between two updates. With weights and optimizer state it is all that the future depends on. */
export interface Cursor {
  /** Updates done. */
  readonly update: number;
  /** Epoch and index in it of the next micro-batch. */
  readonly epoch: number;
  readonly batch: number;
}

/** state.json of a checkpoint. Random streams need no state: they are functions of seed, epoch and sample. */
export interface TrainState extends Cursor {
  readonly format: number;
  readonly seed: number;
  /** Samples in the data set, a guard against another one under the same path. */
  readonly samples: number;
  /** Hash of what decides the weights; see `configHash`. */
  readonly configHash: string;
  readonly config: StoredConfig;
  /** The engine that wrote this, for people. */
  readonly engine: string;
  /** Version of the sampler's state in the same folder; absent while there is none. */
  readonly samplerState?: number;
}

/**
 * Keys that may change between a run and its continuation: where things lie, how fast and how loudly the run goes.
 * All others decide the weights.
 */
const HARMLESS = new Set([
  'extends',
  'output',
  'data.path',
  'data.workers',
  'data.prefetch',
  'data.cacheMiB',
  'engine.threads',
  'engine.cache',
  'train.logEvery',
  'train.checkpointEvery',
  'train.keepCheckpoints',
]);

/** Plain data as `path -> JSON of the leaf`. */
function leavesOf(value: unknown, path = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  const isBranch = typeof value === 'object' && value !== null;
  const entries = isBranch ? Object.entries(value) : [];
  if (!isBranch || entries.length === 0) {
    leaves.set(path, JSON.stringify(value));
    return leaves;
  }
  for (const [key, child] of entries) {
    for (const [name, leaf] of leavesOf(child, path === '' ? key : `${path}.${key}`)) leaves.set(name, leaf);
  }
  return leaves;
}

function decisiveLeaves(config: StoredConfig): Map<string, string> {
  const isHarmless = (path: string): boolean => HARMLESS.has(path) || [...HARMLESS].some((key) => path.startsWith(`${key}.`));
  // As it comes back from state.json: absent and undefined are one.
  const stored: unknown = JSON.parse(JSON.stringify(config));
  return new Map([...leavesOf(stored)].filter(([path]) => !isHarmless(path)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** SHA-256 over the keys that decide the weights, in any order of writing. */
export function configHash(config: StoredConfig): string {
  return createHash('sha256').update(JSON.stringify([...decisiveLeaves(config)])).digest('hex');
}

export interface ConfigDifference {
  readonly key: string;
  readonly before: string;
  readonly now: string;
}

/** Keys that decide the weights and differ. */
export function configDifferences(before: StoredConfig, now: StoredConfig): ConfigDifference[] {
  const old = decisiveLeaves(before);
  const fresh = decisiveLeaves(now);
  const keys = [...new Set([...old.keys(), ...fresh.keys()])];
  return keys
    .map((key) => ({ key, before: old.get(key) ?? 'not set', now: fresh.get(key) ?? 'not set' }))
    .filter((difference) => difference.before !== difference.now);
}

/** @throws TrainingError naming every key that differs, if the checkpoint belongs to another configuration or data set. */
export function checkResumable(state: TrainState, config: StoredConfig, samples: number, place: string): void {
  const differences = configDifferences(state.config, config);
  if (differences.length > 0) {
    const lines = differences.map(({ key, before, now }) => `${key}: was ${before}, is ${now}`);
    throw new TrainingError(`the run was made with another configuration:\n  ${lines.join('\n  ')}`, {
      place,
      remedy: `Resume with the values of the run (its config.yaml), or start a new run in another 'output'.`,
    });
  }
  if (state.samples !== samples) {
    throw new TrainingError(`the run was made with ${state.samples} samples, the data set has ${samples}`, {
      place,
      remedy: `Point data.path to the data set that the run began with.`,
    });
  }
}

export async function writeTrainState(folder: string, state: Omit<TrainState, 'format' | 'configHash'>): Promise<void> {
  const whole: TrainState = { format: FORMAT, configHash: configHash(state.config), ...state };
  await writeFileAtomically(join(folder, STATE_FILE), `${JSON.stringify(whole, null, 2)}\n`);
}

/** @throws CheckpointError if the file is not a state that this version reads. */
export async function readTrainState(folder: string): Promise<TrainState> {
  const path = join(folder, STATE_FILE);
  let state: Partial<TrainState>;
  try {
    state = JSON.parse(await readFile(path, 'utf8')) as Partial<TrainState>;
  } catch (cause) {
    throw new CheckpointError('cannot be read as JSON', { place: path, cause, remedy: 'Delete this checkpoint folder to resume from the one before.' });
  }
  if (state?.format !== FORMAT) {
    throw new CheckpointError(`has format ${String(state?.format)}, this version reads ${FORMAT}`, { place: path, remedy: 'Resume with the version of mimlab that wrote it.' });
  }
  const counts = { update: state.update, epoch: state.epoch, batch: state.batch, samples: state.samples };
  const bad = Object.entries(counts).find(([, value]) => !Number.isInteger(value) || (value as number) < 0);
  if (bad !== undefined || typeof state.config !== 'object' || state.config === null) {
    throw new CheckpointError(`${bad?.[0] ?? 'config'} is missing or no number of things done`, { place: path, remedy: 'Delete this checkpoint folder to resume from the one before.' });
  }
  return state as TrainState;
}
