import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CheckpointError, MODEL_FILE, syncFolder, type ParamSpecs, type SamplerState } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { OPTIMIZER_FILE, writeWeightFiles } from './checkpoint-files.js';
import { faultOf, frozenFileOf, writeManifest } from './checkpoint-manifest.js';
import { onDisk } from './disk.js';
import type { FrozenFile } from './frozen-file.js';
import { writeSamplerState } from './sampler-state.js';
import { readTrainState, STATE_FILE, writeTrainState, type TrainState } from './train-state.js';

/** A whole checkpoint on the disk. */
export interface Checkpoint {
  readonly path: string;
  readonly state: TrainState;
  /** Where the rest of its parameters are, if it does not hold them all. */
  readonly frozen?: FrozenFile;
}

const STEP_FOLDER = /^step-(\d{8,})$/;
/** Prefix of folders that are being written or deleted. Never chosen, cleared away when the run is opened again. */
const UNFINISHED = '.unfinished-';
const CHECKPOINT_FILES = [MODEL_FILE, OPTIMIZER_FILE, STATE_FILE] as const;

export const checkpointName = (update: number): string => `step-${String(update).padStart(8, '0')}`;

/**
 * Writes a checkpoint so that at any moment either the whole of it is there under its name, or nothing: files and
 * folder are brought to the disk under another name, then renamed. Older checkpoints beyond `keep` go only afterwards.
 * @param folder the run's `checkpoints`  @param specs what the checkpoint itself holds  @param frozen where the rest is
 * @throws TrainingError naming path and remedy if the disk is full or read-only; older checkpoints are untouched then.
 */
export async function saveCheckpoint(
  folder: string,
  engine: Engine,
  specs: ParamSpecs,
  state: Omit<TrainState, 'format' | 'configHash' | 'samplerState'>,
  keep: number,
  samplerState?: SamplerState,
  frozen?: FrozenFile,
): Promise<string> {
  const path = join(folder, checkpointName(state.update));
  const unfinished = join(folder, `${UNFINISHED}${checkpointName(state.update)}`);
  await onDisk(path, async () => {
    try {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { recursive: true });
      const weights = await writeWeightFiles(unfinished, engine, specs);
      const kept = samplerState === undefined ? [] : [await writeSamplerState(unfinished, samplerState)];
      await writeTrainState(unfinished, samplerState === undefined ? state : { ...state, samplerState: samplerState.version });
      await writeManifest(unfinished, [...weights, ...kept, STATE_FILE], frozen);
      await discard(folder, basename(path));
      await rename(unfinished, path);
      await syncFolder(folder);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  });
  await onDisk(folder, () => dropOld(folder, keep, state.update));
  return path;
}

/** Steps that have a folder, newest first. */
async function stepFolders(folder: string): Promise<{ name: string; update: number }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const match = STEP_FOLDER.exec(name);
      return match === null ? [] : [{ name, update: Number(match[1]) }];
    })
    .sort((a, b) => b.update - a.update);
}

/** Deletes by renaming first: a kill in between leaves no folder that looks like a checkpoint and is not whole. */
async function discard(folder: string, name: string): Promise<void> {
  const aside = join(folder, `${UNFINISHED}old-${name}`);
  try {
    await rm(aside, { recursive: true, force: true });
    await rename(join(folder, name), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

async function dropOld(folder: string, keep: number, newest: number): Promise<void> {
  // Folders beyond the newest step are damaged ones that a resume passed over: they are nobody's checkpoint.
  const known = (await stepFolders(folder)).filter(({ update }) => update <= newest);
  for (const { name } of known.slice(keep)) await discard(folder, name);
}

/** Removes what a killed process left half written or half deleted. */
export async function clearUnfinished(folder: string): Promise<void> {
  await onDisk(folder, async () => {
    const names = await readdir(folder);
    for (const name of names.filter((entry) => entry.startsWith(UNFINISHED))) await rm(join(folder, name), { recursive: true, force: true });
  });
}

/**
 * The newest checkpoint that is whole; undefined if the run has none at all.
 * @param notice told about each one that is passed over, and why
 * @throws CheckpointError if there are checkpoints but none is whole: starting over must be the user's decision.
 */
export async function newestCheckpoint(folder: string, notice: (message: string) => void = () => undefined): Promise<Checkpoint | undefined> {
  const found = await onDisk(folder, () => stepFolders(folder));
  for (const { name } of found) {
    const checkpoint = await wholeCheckpoint(join(folder, name), notice);
    if (checkpoint !== undefined) return checkpoint;
  }
  if (found.length === 0) return undefined;
  throw new CheckpointError(`none of the ${found.length} checkpoints is whole`, {
    place: folder,
    remedy: `Restore one from a backup, or start a new run in another 'output'.`,
  });
}

/**
 * Every checkpoint of a run that is whole, oldest first; none where there is no folder.
 * @param notice told about each one that is passed over, and why
 */
export async function wholeCheckpoints(folder: string, notice: (message: string) => void = () => undefined): Promise<Checkpoint[]> {
  const found = await onDisk(folder, () => stepFolders(folder));
  const checkpoints: Checkpoint[] = [];
  for (const { name } of found.reverse()) {
    const checkpoint = await wholeCheckpoint(join(folder, name), notice);
    if (checkpoint !== undefined) checkpoints.push(checkpoint);
  }
  return checkpoints;
}

async function wholeCheckpoint(path: string, notice: (message: string) => void): Promise<Checkpoint | undefined> {
  const fault = await faultOf(path, CHECKPOINT_FILES);
  if (fault !== undefined) {
    notice(`${path}: passed over, ${fault}`);
    return undefined;
  }
  const frozen = await frozenFileOf(path);
  return { path, state: await readTrainState(path), ...(frozen === undefined ? {} : { frozen }) };
}
