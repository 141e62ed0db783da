import { describe, expect, it } from 'vitest';
import type { Loader, LoaderBatch } from '../contract.js';
import { interruptible } from './interruptible.js';

/** A loader whose batches are there at once: going through them never leaves the microtask queue. */
function instant(batches: number): { loader: Loader; asked: unknown[][]; ended: string[] } {
  const asked: unknown[][] = [];
  const ended: string[] = [];
  async function* give(name: string): AsyncGenerator<LoaderBatch> {
    try {
      for (let index = 0; index < batches; index++) yield { index } as LoaderBatch;
    } finally {
      ended.push(name);
    }
  }
  const loader = {
    size: 3,
    batchesPerEpoch: batches,
    epoch: (...args: unknown[]) => {
      asked.push(args);
      return give('epoch');
    },
    wholeImages: () => give('whole'),
  } as unknown as Loader;
  return { loader, asked, ended };
}

/** How many batches had been seen when the first timer of the event loop ran. */
async function seenAtFirstTurn(batches: AsyncIterable<LoaderBatch>): Promise<number> {
  let seen = 0;
  let atTurn = -1;
  setImmediate(() => {
    atTurn = seen;
  });
  for await (const { index } of batches) seen = index + 1;
  return atTurn;
}

describe('an interruptible loader', () => {
  it('lets the event loop in before the batches are through, in epochs and over whole images', async () => {
    const { loader } = instant(50);
    // Without it nothing else runs until the end: the timer has not yet.
    expect(await seenAtFirstTurn(loader.epoch(0))).toBe(-1);
    expect(await seenAtFirstTurn(interruptible(loader).epoch(0))).toBe(0);
    expect(await seenAtFirstTurn(interruptible(loader).wholeImages())).toBe(0);
  });

  it('gives the same batches, and hands on what is asked for', async () => {
    const { loader, asked } = instant(3);
    const state = { version: 0, width: 1, values: Float32Array.of(1) };
    const seen: number[] = [];
    for await (const { index } of interruptible(loader).epoch(2, 1, state)) seen.push(index);
    expect(seen).toEqual([0, 1, 2]);
    expect(asked).toEqual([[2, 1, state]]);
  });

  it('ends the work in progress when it is left early', async () => {
    const { loader, ended } = instant(3);
    for (const batches of [interruptible(loader).epoch(0), interruptible(loader).wholeImages()]) {
      const iterator = batches[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
    }
    expect(ended).toEqual(['epoch', 'whole']);
  });

  it('has the other properties of the loader', () => {
    const { loader } = instant(3);
    expect(interruptible(loader)).toMatchObject({ size: 3, batchesPerEpoch: 3 });
  });
});
