import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Loader, LoaderBatch } from '../contract.js';

/**
 * The same loader with a turn of the event loop before every batch. Eager steps and a loader without workers never leave
 * the microtask queue: without it Ctrl-C and the terminal would have to wait for the end of the run.
 */
export function interruptible(loader: Loader): Loader {
  async function* givingTurns(batches: AsyncIterable<LoaderBatch>): AsyncGenerator<LoaderBatch> {
    for await (const batch of batches) {
      await nextTurn();
      yield batch;
    }
  }
  return { ...loader, epoch: (...args) => givingTurns(loader.epoch(...args)), wholeImages: () => givingTurns(loader.wholeImages()) };
}
