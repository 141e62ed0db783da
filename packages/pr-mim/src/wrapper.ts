import {
  ConfigError,
  defineWrapper,
  ENCODER,
  SAMPLER,
  TARGET,
  type Decoder,
  type HookDecorator,
  type Sampler,
  type Scoring,
} from '@mimlab/core';
import { PrMimConfig } from './config.js';
import { createSampler, throwingOptions } from './create-sampler.js';
import { progressiveDecoder, refuseWholeGrid } from './progressive-decoder.js';
import { progressiveOptions } from './progressive-options.js';
import { refuseRepeats } from './repeated-cells.js';
import { weightsByRole, weightsOfPicks } from './scoring.js';
import { dividedCounts } from './throwing-sampler.js';

/**
 * Partial and progressive reconstruction around any method (arXiv:2411.15746). Masked tokens are divided into retained
 * ones, which the expensive network works on, and thrown ones, which are left out (`partial`) or made from their
 * neighbours at little cost (`progressive`).
 */
export const prMim = defineWrapper<PrMimConfig>({
  name: 'pr-mim',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'arXiv:2411.15746',
  configSchema: PrMimConfig,
  wrap(config) {
    const progressive = progressiveOptions(config);

    const sampler = (inner: Sampler): Sampler => createSampler(inner, config);

    const decoder: HookDecorator<Decoder> = (inner, container) => {
      const encoder = container.resolve(ENCODER);
      const { grid } = encoder;
      const { thrown, repeats } = sampler(container.resolve(SAMPLER)).counts(grid);
      const asked = Object.keys(container.resolve(TARGET).spec(grid));
      if (repeats === true) refuseRepeats(encoder, inner.branches.filter(({ name }) => asked.includes(name)));
      if (progressive === undefined) {
        if (thrown > 0) for (const branch of inner.branches) if (asked.includes(branch.name)) refuseWholeGrid(branch);
        return inner;
      }
      if (thrown === 0 && progressive.lossWeights.retained === 0) {
        throw new ConfigError('nothing is thrown and retained tokens weigh 0: no token is left in the loss', {
          place: 'pr-mim.lossWeights',
          remedy: `Raise 'throw' or lossWeights.retained.`,
        });
      }
      // Nothing thrown and nothing else refined: the method itself, without parameters that would never learn.
      if (thrown === 0 && progressive.merge === 'thrown-only') return inner;
      return progressiveDecoder(inner, grid, progressive, asked, encoder.params());
    };

    const scoring: HookDecorator<Scoring> = (inner, container) => {
      if (progressive !== undefined) return { ...inner, weights: weightsByRole(progressive.lossWeights) };
      const predictTokens = config.predictTokens ?? inner.predictTokens;
      if (config.reconstruction !== 'subset') return { ...inner, predictTokens };
      const picks = (): number => dividedCounts(container.resolve(SAMPLER), container.resolve(ENCODER).grid, throwingOptions(config)).retained;
      return { predictTokens, weights: weightsOfPicks(picks) };
    };

    return { sampler, decoder, scoring };
  },
});
