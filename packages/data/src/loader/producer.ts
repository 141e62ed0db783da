import { DataError } from '@mimlab/core';
import { createBatchMaker, type BatchJob, type BatchSlot, type MadeBatch, type MakerSetup } from './batch-maker.js';

/** A batch on its way. */
export interface PendingBatch {
  /** Rejects with `Cancelled` after `cancel`, unless the batch was already made. */
  readonly result: Promise<MadeBatch>;
  cancel(): void;
}

/** Where batches are made: in workers or in the calling thread. */
export interface BatchProducer {
  /** Work goes on while the caller does other things, so that batches may be asked for ahead. */
  readonly background: boolean;
  make(job: BatchJob, slot: BatchSlot | undefined): PendingBatch;
  close(): Promise<void>;
}

export const closedError = (): DataError => new DataError('the loader was closed', { place: 'loader', remedy: 'Create a new loader.' });

/** Makes batches in the calling thread. */
export async function localProducer(setup: MakerSetup): Promise<BatchProducer> {
  const maker = await createBatchMaker(setup);
  let closed = false;
  return {
    background: false,
    make: (job, slot) => {
      const signal = { cancelled: false };
      const result = closed ? Promise.reject(closedError()) : maker.make(job, slot, signal);
      return {
        result,
        cancel: () => {
          signal.cancelled = true;
        },
      };
    },
    close: async () => {
      closed = true;
    },
  };
}
