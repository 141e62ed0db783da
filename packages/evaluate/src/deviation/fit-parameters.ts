import { CompositionError, type NamedHostTensors, type Objective, type PixelStatistics } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { peakLr, pretrainStep, type TrainConfig } from '@mimlab/train';
import { drawPlans, pairedInputs, type PairedBatch } from './paired-plans.js';

export interface FitOptions {
  /** Holds all parameters of the objective; those fitted are changed in it. */
  readonly engine: Engine;
  readonly objective: Objective;
  readonly statistics: PixelStatistics;
  /** Parameters that learn. */
  readonly names: readonly string[];
  /** One batch an update. */
  readonly batches: AsyncIterable<PairedBatch>;
  /** Updates that the cosine of the learning rate is laid over; the batches decide when it ends. */
  readonly updates: number;
  /** The recipe: peak rate, betas and decay are taken from it. */
  readonly train: TrainConfig;
  readonly seed: number;
}

export interface Fitted {
  readonly values: NamedHostTensors;
  readonly updates: number;
  /** Means of the loss over the first and the last tenth of the updates. */
  readonly loss: { readonly first: number; readonly last: number };
}

/**
 * Trains some parameters of an objective and leaves all others as they are: what an aggregation needs that is put behind
 * a network which was trained without it (section 7, common weights). The rate falls from the recipe's peak to 0 by a
 * cosine, without warm-up.
 * @throws CompositionError if there is nothing to fit
 */
export async function fitParameters({ engine, objective, statistics, names, batches, updates, train, seed }: FitOptions): Promise<Fitted> {
  if (names.length === 0) throw new CompositionError('there is no parameter to fit', { place: 'fit' });
  const specs = objective.params();
  const chosen = new Set(names);
  const frozen = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { ...spec, trainable: spec.trainable && chosen.has(name) }]));
  const step = engine.compile(pretrainStep({ ...objective, params: () => frozen }, statistics, { ...train, accumulate: 1 }));
  const losses: number[] = [];
  try {
    for await (const batch of batches) {
      const plans = drawPlans(objective, batch, { seed, mask: 0, plan: 0 });
      const lr = (peakLr(train) / 2) * (1 + Math.cos((Math.PI * Math.min(losses.length, updates)) / updates));
      const { metrics } = await step.run(pairedInputs(objective, batch, plans, seed), { lr, update: losses.length + 1 });
      losses.push(metrics['loss'] as number);
    }
  } finally {
    step.dispose();
  }
  const tenth = Math.max(1, Math.floor(losses.length / 10));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return { values: await engine.read(names), updates: losses.length, loss: { first: mean(losses.slice(0, tenth)), last: mean(losses.slice(-tenth)) } };
}
