import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RESULTS_FILE } from '@mimlab/evaluate';
import { CONFIG_FILE, ensureFolder, writeFileAtomically } from '@mimlab/train';
import type { Job } from './plan-jobs.js';

/** Left in the folder of a run whose last update is done. */
const FINISHED_FILE = 'finished.json';

/** Whether a job's folder holds everything it was asked for. */
export const isFinished = ({ folder, kind }: Pick<Job, 'folder' | 'kind'>): boolean => existsSync(join(folder, kind === 'pretrain' ? FINISHED_FILE : RESULTS_FILE));

/** Whether a job was begun: a run goes on from its newest checkpoint. */
export const isBegun = ({ folder }: Pick<Job, 'folder'>): boolean => existsSync(join(folder, CONFIG_FILE));

/** Says that a run is done. A process killed before this is asked once more, and finds nothing left to do. */
export async function markFinished({ folder, kind }: Pick<Job, 'folder' | 'kind'>, seconds: number): Promise<void> {
  if (kind !== 'pretrain') return;
  await writeFileAtomically(join(folder, FINISHED_FILE), `${JSON.stringify({ finished: new Date().toISOString(), seconds })}\n`);
}

/** Writes what a job reads: the resolved configuration. One that stands there may say other things that decide no weights, as where data lie. */
export async function prepare({ config: { file, text } }: Pick<Job, 'config'>): Promise<void> {
  await ensureFolder(dirname(file));
  await writeFileAtomically(file, text);
}
