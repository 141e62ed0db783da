import type { Sampler } from '@mimlab/core';
import { amtSampler, amtThrowSampler } from './amt-sampler.js';
import type { AttentionOptions } from './attention-state.js';
import type { PrMimConfig } from './config.js';
import { runningCellSampler } from './running-cell-sampler.js';
import { furthestPicker, type FurthestOptions } from './samplers/furthest.js';
import type { Picker } from './samplers/picker.js';
import { pickRandom } from './samplers/random.js';
import { runningCellPicker } from './samplers/running-cell.js';
import { pickAttended } from './samplers/weighted-order.js';
import { throwingSampler, type ThrowingOptions } from './throwing-sampler.js';

/** The rule by which a configuration picks retained tokens among masked ones. */
export function pickerFor(config: PrMimConfig): Picker {
  // Parsing gave every rule all of its options.
  switch (config.sampling) {
    case 'random':
      return pickRandom;
    case 'furthest':
      return furthestPicker(config as unknown as FurthestOptions);
    case 'running-cell':
      return runningCellPicker(config.cellRatio as number);
    case 'amt':
    case 'amt-throw':
      return pickAttended;
  }
}

/** What a configuration's counting rule, throwing unit and reconstruction ask of any sampler. */
export const throwingOptions = (config: PrMimConfig): Omit<ThrowingOptions, 'pick'> & { readonly throwUnit: PrMimConfig['throwUnit'] } => ({
  rule: config,
  subset: config.reconstruction === 'subset',
  throwUnit: config.throwUnit,
});

/** The samplers whose variant `faithful` counts as their own papers do, not by the counting rule. */
export const isFaithful = ({ variant }: PrMimConfig): boolean => variant === 'faithful';

/** The sampler of a configuration, around that of a method. */
export function createSampler(inner: Sampler, config: PrMimConfig): Sampler {
  const throwing = throwingOptions(config);
  switch (config.sampling) {
    case 'random':
    case 'furthest':
      return throwingSampler(inner, { ...throwing, pick: pickerFor(config) });
    case 'running-cell':
      return isFaithful(config) ? runningCellSampler(inner, config.throw) : throwingSampler(inner, { ...throwing, pick: pickerFor(config) });
    case 'amt-throw':
      return amtThrowSampler(inner, { ...throwing, ...attentionOptions(config) });
    case 'amt': {
      const faithful = isFaithful(config) ? { faithful: { mask: config.amtMaskRatio as number, throw: config.throw } } : {};
      return amtSampler(inner, { ...throwing, ...attentionOptions(config), ...faithful });
    }
  }
}

const attentionOptions = (config: PrMimConfig): AttentionOptions => config as unknown as AttentionOptions;
