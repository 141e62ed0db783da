import type { Dataset } from '@mimlab/data';
import { describe, expect, it } from 'vitest';
import { findLeaks, leakWarning } from './leaks.js';

const dataset = (name: string, contents: readonly string[]): Dataset =>
  ({ size: contents.length, describe: (index: number) => `${name} #${index}`, fingerprint: async (index: number) => contents[index] as string }) as unknown as Dataset;
const all = ({ size }: Dataset): Int32Array => Int32Array.from({ length: size }, (_, i) => i);

describe('test images among training images', () => {
  const train = dataset('train', [...Array.from({ length: 20 }, (_, i) => `t${i}`), 'same']);
  const test = dataset('test', ['a', 'same', 't3', 'b', 'same']);

  it('are found by their bytes, every one of them', async () => {
    expect(await findLeaks(train, all(train), test)).toEqual([
      { train: 'train #3', test: 'test #2' },
      { train: 'train #20', test: 'test #1' },
      { train: 'train #20', test: 'test #4' },
    ]);
  });

  it('count once, however often the training images repeat', async () => {
    const twice = dataset('train', ['a', 'a']);
    expect(await findLeaks(twice, all(twice), test)).toEqual([{ train: 'train #0', test: 'test #0' }]);
  });

  it('do not matter where the training image is not in use', async () => {
    expect(await findLeaks(train, Int32Array.of(0, 1), test)).toEqual([]);
  });

  it('are looked for with progress up to the number of both sets', async () => {
    const seen: number[] = [];
    await findLeaks(train, all(train), test, (done, total) => seen.push(done / total));
    expect(seen.at(-1)).toBe(1);
  });

  it('are warned of with a few names', () => {
    const leaks = Array.from({ length: 5 }, (_, i) => ({ train: `x${i}`, test: `y${i}` }));
    expect(leakWarning(leaks, 100)).toBe('5 of 100 test images are also training images: their answers may be remembered, not recognised (y0 is x0; y1 is x1; y2 is x2; and 2 more)');
    expect(leakWarning(leaks.slice(0, 1), 9)).not.toContain('more');
  });
});
