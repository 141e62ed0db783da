import { appendFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { diskError, onDisk, writeFileAtomically } from './disk.js';
import type { Lap } from './pace.js';

/** One row of metrics.jsonl. Speed and shares are those since the row before. */
export interface MetricsRow extends Lap {
  /** Number of the update, 1 for the first. */
  readonly step: number;
  /** Epochs done, a real number. */
  readonly epoch: number;
  /** Mean over the micro-batches of this update. */
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  readonly lr: number;
  /** Global norm of the gradient before clipping. */
  readonly gradNorm: number;
  readonly paramNorm: number;
  readonly updateNorm: number;
  /** Resident memory of the process, MiB. */
  readonly memoryMiB: number;
}

/** Adds a row; it reaches the operating system before this returns. */
export function appendMetrics(path: string, row: MetricsRow): void {
  try {
    appendFileSync(path, `${JSON.stringify(row)}\n`);
  } catch (error) {
    throw diskError(path, error);
  }
}

/** Brings the rows written so far to the disk. A file without rows yet is fine. */
export async function syncMetrics(path: string): Promise<void> {
  await onDisk(path, async () => {
    const file = await open(path, 'a');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/**
 * Drops the rows that a resumed run will write anew, and the half row that a killed one may have left.
 * @param lastStep step of the checkpoint the run resumes from
 * @returns how many lines were dropped
 */
export async function truncateMetrics(path: string, lastStep: number): Promise<number> {
  const text = await readText(path);
  const lines = text.split('\n').filter((line) => line !== '');
  const kept = lines.filter((line) => stepOf(line) <= lastStep);
  const content = kept.map((line) => `${line}\n`).join('');
  if (content !== text) await writeFileAtomically(path, content);
  return lines.length - kept.length;
}

/** Rows of a run so far. A line that is cut off is left out. */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  const lines = (await readText(path)).split('\n').filter((line) => Number.isFinite(stepOf(line)));
  return lines.map((line) => JSON.parse(line) as MetricsRow);
}

async function readText(path: string): Promise<string> {
  return onDisk(path, async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  });
}

function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === 'number' ? step : Infinity;
  } catch {
    return Infinity;
  }
}

/** The row as TensorBoard's scalars. */
export function scalarsOf(row: MetricsRow): Record<string, number> {
  const scalars: Record<string, number> = { loss: row.loss };
  for (const [name, value] of Object.entries(row.parts)) scalars[`loss/${name}`] = value;
  for (const [stage, share] of Object.entries(row.loader ?? {})) scalars[`loader/${stage}`] = share;
  return {
    ...scalars,
    lr: row.lr,
    'norm/gradient': row.gradNorm,
    'norm/parameters': row.paramNorm,
    'norm/update': row.updateNorm,
    'speed/images_per_second': row.imagesPerSecond,
    'speed/seconds_data': row.seconds.data,
    'speed/seconds_step': row.seconds.step,
    'memory/resident_MiB': row.memoryMiB,
  };
}
