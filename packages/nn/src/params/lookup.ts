import { CheckpointError, type Params } from '@mimlab/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * The parameter of this name.
 * @throws CheckpointError naming the parameter if it is missing.
 */
export function param<T extends Tensor = Tensor>(params: Params, name: string): T {
  const value = params[name];
  if (value === undefined) {
    throw new CheckpointError('this parameter is missing', { place: name, remedy: 'Load weights of the same architecture, strictly.' });
  }
  return value as T;
}
