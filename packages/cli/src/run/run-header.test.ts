import { describe, expect, it } from 'vitest';
import { constantLevel, headerLines } from './run-header.js';
import { tinyRun } from './tiny-run.test-support.js';

type Start = Parameters<typeof headerLines>[1];
const start: Start = {
  kind: 'start',
  runFolder: 'runs/tiny',
  update: 0,
  updates: 30,
  updatesPerEpoch: 3,
  samples: 12,
  parameters: { trainable: 1000, frozen: 200 },
  effectiveBatch: 8,
  baseLr: 1.5e-4,
  lr: 5e-6,
  engine: 'eager cpu',
};

const row = async (name: string, changed: Partial<Start> = {}, ...set: string[]): Promise<string | undefined> =>
  headerLines(await tinyRun('data', ...set), { ...start, ...changed }).find((line) => line.startsWith(`${name} `));

describe('the head of a run', () => {
  it('names method, wrapper, tokens and images', async () => {
    expect(await row('method')).toBe('method     mae + pr-mim');
    expect(await row('tokens')).toBe('tokens     4 x 4: V 4 visible, K 4 retained, T 8 thrown');
    expect(await row('data')).toBe('data       mnist, 12 images of 8 x 8 x 1');
    expect(await row('parameters')).toBe('parameters 1000 trainable, 200 fixed');
  });

  it('derives the rate from its base, or says that it is absolute', async () => {
    expect(await row('rate')).toBe('rate       0.000005 = base 0.00015 x 8 / 256');
    expect(await row('rate', { baseLr: undefined, lr: 0.001 })).toBe('rate       0.001 (absolute)');
  });

  it('says how an update is made up of micro-batches', async () => {
    expect(await row('batch', {}, 'train.accumulate=2')).toBe('batch      8 images an update (4 x 2)');
  });

  it('tells a run that goes on from one that begins', async () => {
    expect(await row('updates')).toBe('updates    30 (3 an epoch)');
    expect(await row('updates', { update: 12 })).toBe('updates    30 (3 an epoch), going on after 12');
  });

  it('gives the cost beside the bare method: the whole of it without a wrapper', async () => {
    expect(await row('cost', {}, 'wrap=[]')).toBe('cost       1.000 of the method without wrappers (forward MACs)');
    expect(await row('cost')).toMatch(/ 0\.\d\d\d of the method/);
  });

  it('has a level to compare with only where targets are normalised by patch', async () => {
    expect(await row('level')).toBe('level      0.75 is the loss of predicting each patch by its mean');
    expect(await row('level', {}, 'method.normPix=false')).toBeUndefined();
  });
});

it('the constant level is (n - 1) / n for patches of n values', async () => {
  expect(constantLevel((await tinyRun('data', 'method.patchSize=4')).objective)).toBe(15 / 16);
  expect(constantLevel((await tinyRun('data', 'data.channels=3')).objective)).toBe(11 / 12);
});
