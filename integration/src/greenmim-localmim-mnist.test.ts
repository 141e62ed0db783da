import { greenmim, GreenMimConfig } from '@mimlab/plugin-greenmim';
import { localMim, LocalMimConfig } from '@mimlab/plugin-localmim';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import { describe, expect, it } from 'vitest';
import { learnMnist, meanOf } from './mnist-learning.js';

/** 14 x 14 patches of 2 x 2 pixels, 7 x 7 mask units. */
const GREENMIM = { patchSize: 2, width: 16, depths: [2, 1], heads: [2, 2], window: 7, mlpRatio: 2, decoderWidth: 16, decoderHeads: 2 };
/** 7 x 7 tokens of 4 x 4 pixels. */
const VIT = { patchSize: 4, width: 16, depth: 3, taps: [1, 2, 3], scales: [4, 2, 1] as (4 | 2 | 1)[], heads: 2, mlpRatio: 2, decoderWidth: 16, decoderHeads: 2 };

const RECIPE = { updates: 300, batch: 8, lr: 5e-3 };
const WRAP = { plugin: prMim, config: PrMimConfig.parse({ throw: 0.5, aggregator: { kind: 'dwconv', kernel: 3 } }) };

describe.each([
  ['GreenMIM', { plugin: greenmim, config: GreenMimConfig.parse(GREENMIM) }, 0.7],
  ['LocalMIM with HOG', { plugin: localMim, config: LocalMimConfig.parse(VIT) }, 0.5],
])('%s on MNIST', (_name, method, share) => {
  it.each([
    ['alone', []],
    ['wrapped by pr-mim', [WRAP]],
  ])(
    'learns, %s',
    async (_wrapped, wrap) => {
      const { losses } = await learnMnist({ method, wrap }, RECIPE);
      expect(meanOf(losses.slice(-50))).toBeLessThan(share * meanOf(losses.slice(0, 10)));
    },
    120_000,
  );
});

it('LocalMIM with Swin learns histograms of oriented gradients on MNIST', async () => {
  // 14 x 14 patches of 2 x 2 pixels, 7 x 7 mask units. Its decoders work on the whole grid: nothing can be thrown.
  const config = LocalMimConfig.parse({ arch: 'swin', patchSize: 2, width: 16, depth: [2, 1], heads: [2, 2], window: 7, mlpRatio: 2, decoderWidth: 16, decoderHeads: 2 });
  const { losses } = await learnMnist({ method: { plugin: localMim, config } }, RECIPE);
  expect(meanOf(losses.slice(-50))).toBeLessThan(0.15 * meanOf(losses.slice(0, 10)));
}, 120_000);
