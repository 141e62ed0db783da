import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadRunContext } from '../run/run-context.js';
import { costOf, measureCost } from './measure-costs.js';

const compared = { seconds: [2, 4, 3], referenceSeconds: [4, 4, 4], peakBytes: 50, referencePeakBytes: 100 };

describe('the cost of a step', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-costs-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is the median over rounds; ratios are those of the rounds', () => {
    expect(costOf(compared)).toEqual({ seconds: 3, timeRatio: { median: 0.75, low: 0.5, high: 1 }, peakBytes: 50, peakRatio: 0.5 });
    expect(costOf({ ...compared, seconds: [2, 4], referenceSeconds: [4, 4] }).seconds).toBe(3);
  });

  it('is measured once, whatever the seed and the schedule', async () => {
    const measure = vi.fn(() => Promise.resolve(compared));
    const [one, reference, other] = await Promise.all([[], ['wrap=[]'], ['seed=3', 'train.epochs=9']].map((set) => loadRunContext('mae/mnist-quickstart', set)));
    if (one === undefined || reference === undefined || other === undefined) throw new Error('three were loaded');
    await measureCost(one, reference, folder, measure);
    expect(await measureCost(other, reference, folder, measure)).toEqual(costOf(compared));
    expect(measure).toHaveBeenCalledTimes(1);
    await measureCost(reference, reference, folder, measure);
    expect(measure).toHaveBeenCalledTimes(2);
  });

  it('is measured again for another batch or another engine', async () => {
    const measure = vi.fn(() => Promise.resolve(compared));
    for (const set of [[], ['train.batch=8'], ['engine.precision=bf16']]) {
      const one = await loadRunContext('mae/mnist-quickstart', set);
      await measureCost(one, one, folder, measure);
    }
    expect(measure).toHaveBeenCalledTimes(3);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('leaves nothing behind where measuring fails', async () => {
    const one = await loadRunContext('mae/mnist-quickstart');
    await expect(measureCost(one, one, join(folder, 'costs'), () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is refused where the file holds something else', async () => {
    const one = await loadRunContext('mae/mnist-quickstart');
    await measureCost(one, one, folder, () => Promise.resolve(compared));
    const again = (text: string) => {
      writeFileSync(join(folder, readdirSync(folder)[0] as string), text);
      return measureCost(one, one, folder, () => Promise.resolve(compared));
    };
    await expect(again('{"seconds":[]}')).rejects.toThrow(/seconds[^]*Delete the file/);
    await expect(again(JSON.stringify({ ...compared, referenceSeconds: [4] }))).rejects.toThrow(/another number of rounds[^]*Delete the file/);
  });
});
