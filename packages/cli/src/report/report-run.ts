import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import { readMetrics, runPaths, wholeCheckpoints, type Checkpoint, type Environment, type MetricsRow } from '@mimlab/train';
import { loadRunContext, storedConfig, type RunContext } from '../run/run-context.js';

/** How a report names a run: colours repeat after a while, letters do not. */
export interface RunLabel {
  /** A, B, ... as in charts. */
  readonly letter: string;
  readonly name: string;
}

/** A run with everything that its folder says about it. */
export interface ReportRun extends RunLabel {
  readonly folder: string;
  readonly context: RunContext;
  /** config.yaml as it stands. */
  readonly configText: string;
  readonly metrics: readonly MetricsRow[];
  /** Of each part of the run, the first first. Those of early versions lack what was not recorded then. */
  readonly environments: readonly Partial<Environment>[];
  /** Whole ones, oldest first. */
  readonly checkpoints: readonly Checkpoint[];
}

const LETTERS = 26;

/** A .. Z, AA, AB, ... */
export const letterOf = (index: number): string =>
  (index < LETTERS ? '' : letterOf(Math.floor(index / LETTERS) - 1)) + String.fromCharCode(65 + (index % LETTERS));

/** The last part of each path, with as many parts before it as it takes to tell them apart. */
export function shortNames(paths: readonly string[]): string[] {
  const named = (path: string, parts: number): string => path.split('/').filter((part) => part !== '').slice(-parts).join('/');
  return paths.map((path) => {
    for (let parts = 1; parts < path.split('/').length; parts++) {
      const name = named(path, parts);
      if (paths.every((other) => other === path || named(other, parts) !== name)) return name;
    }
    return path;
  });
}

/**
 * Opens the runs of a report, each once.
 * @param notice told about checkpoints that are passed over
 * @throws MimlabError if a folder is no run, CheckpointError if one has not begun
 */
export async function openReportRuns(given: readonly string[], notice: (message: string) => void): Promise<ReportRun[]> {
  const folders = [...new Set(await Promise.all(given.map((run) => realpath(run))))];
  const names = shortNames(folders);
  const runs: ReportRun[] = [];
  for (const [index, folder] of folders.entries()) {
    const paths = runPaths(folder);
    const metrics = await readMetrics(paths.metrics);
    const checkpoints = await wholeCheckpoints(paths.checkpoints, notice);
    if (metrics.length === 0 && checkpoints.length === 0) {
      throw new CheckpointError('the run has no checkpoint and no metrics yet', { place: folder, remedy: `Train it first: mimlab pretrain --resume ${given[index] ?? folder}` });
    }
    runs.push({
      letter: letterOf(index),
      name: names[index] ?? basename(folder),
      folder,
      context: await loadRunContext(storedConfig(folder)),
      configText: await readFile(paths.config, 'utf8'),
      metrics,
      environments: await readEnvironments(dirname(paths.config)),
      checkpoints,
    });
  }
  return runs;
}

const ENVIRONMENT = /^environment(?:-resumed-(\d+))?\.json$/;

/** environment.json and those of later parts, in their order. A file that holds no JSON object is left out. */
async function readEnvironments(folder: string): Promise<Partial<Environment>[]> {
  const parts = (await readdir(folder)).flatMap((name) => {
    const match = ENVIRONMENT.exec(name);
    return match === null ? [] : [{ name, part: Number(match[1] ?? 0) }];
  });
  const environments: Partial<Environment>[] = [];
  for (const { name } of parts.sort((a, b) => a.part - b.part)) {
    try {
      const read: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
      if (typeof read === 'object' && read !== null && !Array.isArray(read)) environments.push(read);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return environments;
}
