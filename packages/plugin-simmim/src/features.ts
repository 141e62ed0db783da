import { CompositionError, type ParamSpecs, type PlanTensors, type RandomInput, type StepContext } from '@mimlab/core';
import { dropPath, dropPathRates } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** Features of both encoders: what leaves the last block, and the same behind the final norm. */
export const TOKENS = 'tokens';
export const LATENT = 'latent';
/** Official names start with it; the final norm is `encoder.norm`. */
export const PREFIX = 'encoder.';
export const NORM = 'encoder.norm';

const DRAWS = 'encoder.dropPath';

/** Stochastic depth of an encoder: two draws an image and block, which come in with the step. */
export function stochasticDepth(largest: number, depth: number) {
  const rates = dropPathRates(largest, depth);
  return {
    randomInputs: (batch: number): Readonly<Record<string, RandomInput>> => (largest === 0 ? {} : { [DRAWS]: { shape: [2 * depth, batch], distribution: 'uniform' } }),
    /** Applied to branch 0 (attention) or 1 (MLP) of a block. Does nothing outside training. */
    drop({ training, random }: StepContext, block: number, branch: Tensor2D, which: 0 | 1): Tensor2D {
      const draws = training ? (random[DRAWS] as Tensor2D | undefined) : undefined;
      if (draws === undefined) return branch;
      const [, batch] = draws.shape;
      return dropPath(branch, tf.reshape(tf.slice(draws, [2 * block + which, 0], [1, batch]), [batch]) as Tensor1D, rates[block] as number);
    },
  };
}

/** Refuses plans that an encoder of hidden tokens cannot take. */
export function refuseRepeats({ counts }: PlanTensors): void {
  if (counts.repeats !== true) return;
  throw new CompositionError('the encoder takes every token once, the sampler gives some a mask token besides', {
    place: 'wrap',
    remedy: 'Choose a sampler that keeps to the masked tokens.',
  });
}

/** Marks parameters that weight decay spares. */
export const sparing = (specs: ParamSpecs, spared: (name: string) => boolean): ParamSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spared(name) ? { ...spec, decay: false as const } : spec]));

export const isTable = (name: string): boolean => name.endsWith('relative_position_bias_table');

