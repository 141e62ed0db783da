import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { expect, it } from 'vitest';
import { learnMnist, meanOf } from './mnist-learning.js';

/** Sixteen tokens of 7 x 7 pixels, each a mask unit. */
const VIT = { patchSize: 7, maskUnit: 7, maskRatio: 0.5, width: 32, depth: 2, heads: 2, mlpRatio: 2, layerScale: 1, dropPath: 0.1 };

/**
 * In so few updates the loss falls to about that of an all-black image, 0.42, which the absolute error favours on MNIST, not
 * below it. That hidden pixels are inferred from visible ones is shown in simmim-training.test.ts.
 */
it.each<[string, PrMimInput | undefined]>([
  ['alone', undefined],
  ['wrapped by pr-mim', { throw: 0.25, aggregator: { kind: 'dwconv', kernel: 3 } }],
])(
  'the loss of SimMIM on MNIST falls, %s',
  async (_name, wrap) => {
    const method = { plugin: simmim, config: SimMimConfig.parse(VIT) };
    const wrappers = wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }];
    const { losses } = await learnMnist({ method, wrap: wrappers }, { updates: 300, batch: 16, lr: 3e-3 });
    expect(meanOf(losses.slice(-50))).toBeLessThan(0.65 * meanOf(losses.slice(0, 3)));
  },
  180_000,
);
