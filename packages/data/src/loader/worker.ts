/** The program of a loader's worker thread: makes the batches it is asked for, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SamplerState } from '@mimlab/core';
import { Cancelled, createBatchMaker, type BatchJob, type BatchMaker, type CancelSignal, type MakerSetup } from './batch-maker.js';
import { packError, postBatch, type FromWorker, type ToWorker } from './messages.js';

const port = parentPort;
if (port === null) throw new Error('worker.js is started by the loader, as a worker thread');

type MakeRequest = Omit<Extract<ToWorker, { kind: 'make' }>, 'job'> & { readonly job: BatchJob };

const answer = (message: FromWorker): void => port.postMessage(message);
const signals = new Map<number, CancelSignal>();
let last: Promise<void> = Promise.resolve();
/** The sampler's state for batches asked for from now on. */
let state: SamplerState | undefined;
/** Lets messages in: a batch made from memory never waits, and would hold back the news that the next is not wanted. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function make(maker: BatchMaker, { id, job, slot }: MakeRequest, signal: CancelSignal): Promise<void> {
  await turn();
  try {
    if (signal.cancelled) throw new Cancelled();
    answer({ kind: 'made', id, posted: postBatch(await maker.make(job, slot, signal), slot) });
  } catch (error) {
    answer(error instanceof Cancelled ? { kind: 'cancelled', id } : { kind: 'failed', id, error: packError(error) });
  } finally {
    signals.delete(id);
  }
}

const started = createBatchMaker(workerData as MakerSetup);
port.on('message', (message: ToWorker) => {
  if (message.kind === 'make') {
    const signal = { cancelled: false };
    signals.set(message.id, signal);
    // As it is now: a later one belongs to later batches, which may be asked for before this one is made.
    const job = state === undefined ? message.job : { ...message.job, state };
    last = last.then(async () => make(await started, { ...message, job }, signal));
    return;
  }
  if (message.kind === 'state') {
    state = message.state;
    return;
  }
  for (const [id, signal] of signals) if (message.kind === 'close' || message.id === id) signal.cancelled = true;
  // Ending by itself, not by force, lets native decoding finish first.
  if (message.kind === 'close') void last.finally(() => port.close());
});

started.then(
  () => answer({ kind: 'ready' }),
  (error: unknown) => {
    answer({ kind: 'refused', error: packError(error) });
    port.close();
  },
);
