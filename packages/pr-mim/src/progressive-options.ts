import { isProgressive } from './config-conditions.js';
import type { AggregatorConfig, PrMimConfig } from './config.js';

type Complete<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };

/** The settings of progressive reconstruction, every one with a value; those of other aggregators are never read. */
export type ProgressiveOptions = Complete<Pick<PrMimConfig, 'merge' | 'fill' | 'normalizeByCount' | 'source' | 'shareNorm' | 'shareHead' | 'stopGradient' | 'lossWeights'>> & {
  readonly aggregator: Complete<AggregatorConfig> & { readonly kind: Exclude<AggregatorConfig['kind'], 'none'> };
};

/** Settings of a parsed configuration, or undefined where thrown tokens are not reconstructed. */
export const progressiveOptions = (config: PrMimConfig): ProgressiveOptions | undefined =>
  // Parsing completed every key that means something under this configuration (config-conditions.ts).
  isProgressive(config) ? (config as unknown as ProgressiveOptions) : undefined;
