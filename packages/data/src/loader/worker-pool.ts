import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError, type SamplerState } from '@mimlab/core';
import { Cancelled, type BatchJob, type BatchSlot, type MadeBatch, type MakerSetup } from './batch-maker.js';
import { receiveBatch, unpackError, type FromWorker, type ToWorker } from './messages.js';
import { closedError, type BatchProducer } from './producer.js';

/** Time a worker gets to finish the image in hand before it is stopped by force. */
const CLOSE_MILLISECONDS = 5000;

interface Waiting {
  readonly job: BatchJob;
  readonly slot: BatchSlot | undefined;
  readonly resolve: (batch: MadeBatch) => void;
  readonly reject: (error: Error) => void;
}

interface PoolWorker {
  readonly thread: Worker;
  readonly waiting: Map<number, Waiting>;
  /** Settles when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Why it cannot work any more. */
  failure: Error | undefined;
  /** The sampler's state it was told last. */
  state: SamplerState | undefined;
}

/**
 * Starts workers and waits until each has loaded its plugins.
 * @throws DataError if the package is not built; what a worker's plugins throw.
 */
export async function workerProducer(setup: MakerSetup, count: number): Promise<BatchProducer> {
  const file = workerFile();
  let closed = false;
  let nextId = 0;
  const starts = Array.from({ length: count }, () => startWorker(file, setup));
  const workers = starts.map(({ worker }) => worker);
  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all(workers.map(endWorker));
  };
  try {
    await Promise.all(starts.map(({ ready }) => ready));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    background: true,
    make: (job, slot) => {
      const id = nextId++;
      // Batches cost about the same, so the worker with the fewest to make is the first to be free.
      const worker = workers.reduce((least, other) => (other.waiting.size < least.waiting.size ? other : least));
      const broken = closed ? closedError() : workers.find(({ failure }) => failure !== undefined)?.failure;
      if (broken !== undefined) return { result: Promise.reject(broken), cancel: () => undefined };
      const tell = (message: ToWorker): void => worker.thread.postMessage(message);
      const result = new Promise<MadeBatch>((resolve, reject) => worker.waiting.set(id, { job, slot, resolve, reject }));
      worker.thread.ref();
      const { state, ...plain } = job;
      if (state !== worker.state) tell({ kind: 'state', state });
      worker.state = state;
      tell({ kind: 'make', id, job: plain, slot });
      return { result, cancel: () => tell({ kind: 'cancel', id }) };
    },
    close,
  };
}

/** Threads run built JavaScript, also when this file itself is run from source. */
function workerFile(): URL {
  const file = new URL(import.meta.url.endsWith('.ts') ? '../../dist/loader/worker.js' : './worker.js', import.meta.url);
  if (existsSync(file)) return file;
  throw new DataError('the worker program is not built', { place: fileURLToPath(file), remedy: `Run 'npm run build', or set 'data.workers' to 0.` });
}

function startWorker(file: URL, setup: MakerSetup): { worker: PoolWorker; ready: Promise<void> } {
  // Flags of the calling process (loaders, conditions) are not the worker's.
  const thread = new Worker(file, { workerData: setup, execArgv: [], name: 'mimlab-loader' });
  const { promise: ended, resolve: hasEnded } = deferred();
  const { promise: ready, resolve: isReady, reject: cannotStart } = deferred();
  const worker: PoolWorker = { thread, waiting: new Map(), ended, failure: undefined, state: undefined };
  const fail = (error: Error): void => {
    worker.failure ??= error;
    cannotStart(error);
    for (const { job, reject } of worker.waiting.values()) reject(lostBatch(error, job));
    worker.waiting.clear();
  };
  thread.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') {
      // An idle loader that nobody closed must not keep the process alive.
      thread.unref();
      isReady();
    } else if (message.kind === 'refused') fail(unpackError(message.error, 'loader worker'));
    else settle(worker, message);
  });
  thread.on('error', (error) => fail(new DataError(`a loader worker failed: ${error.message}`, { place: 'loader', remedy: `If modules are missing, run 'npm run build'; else the cause names the plugin that threw outside its hooks.`, cause: error })));
  thread.on('exit', (code) => {
    fail(new DataError(`a loader worker ended unexpectedly (exit code ${code})`, { place: 'loader', remedy: 'If memory ran out, lower data.workers or data.prefetch.' }));
    hasEnded();
  });
  return { worker, ready };
}

function settle(worker: PoolWorker, message: Extract<FromWorker, { id: number }>): void {
  const waiting = worker.waiting.get(message.id);
  worker.waiting.delete(message.id);
  if (worker.waiting.size === 0) worker.thread.unref();
  if (message.kind === 'made') waiting?.resolve(receiveBatch(message.posted, waiting.slot));
  else if (message.kind === 'cancelled') waiting?.reject(new Cancelled());
  else waiting?.reject(unpackError(message.error, `batch ${String(waiting.job.index)} of epoch ${String(waiting.job.epoch)}`));
}

function lostBatch(error: Error, { epoch, index, sampleIds }: BatchJob): Error {
  if (!(error instanceof DataError)) return error;
  const samples = `${Array.from(sampleIds.subarray(0, 4)).join(', ')}${sampleIds.length > 4 ? ', ...' : ''}`;
  return new DataError(`${error.problem}, while it made batch ${index} of epoch ${epoch} (samples ${samples})`, {
    ...(error.place === undefined ? {} : { place: error.place }),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    cause: error,
  });
}

async function endWorker(worker: PoolWorker): Promise<void> {
  const { thread, waiting, ended } = worker;
  worker.failure ??= closedError();
  for (const { reject } of waiting.values()) reject(closedError());
  waiting.clear();
  thread.ref();
  thread.postMessage({ kind: 'close' } satisfies ToWorker);
  const force = setTimeout(() => void thread.terminate(), CLOSE_MILLISECONDS);
  await ended;
  clearTimeout(force);
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
