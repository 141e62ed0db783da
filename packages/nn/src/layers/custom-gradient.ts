import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Keeps tensors for the backward pass. Anything made inside a differentiated function and not kept is gone by then. */
export type Save = (tensors: Tensor[]) => void;

/**
 * Computes `forward` with a hand-written gradient.
 * @param backward gets the gradient of the result and what was saved, in that order; returns one gradient for each input.
 */
export function withGradient<T extends Tensor>(
  inputs: readonly Tensor[],
  forward: (save: Save) => T,
  backward: (dy: T, saved: readonly Tensor[]) => Tensor[],
): T {
  const differentiable = tf.customGrad((...given) => ({
    value: forward(given[given.length - 1] as unknown as Save),
    gradFunc: (dy, saved) => backward(dy as T, saved),
  }));
  return differentiable(...inputs) as T;
}

/** The saved tensor at a place. */
export const savedAt = <T extends Tensor = Tensor>(saved: readonly Tensor[], place: number): T => saved[place] as T;

/** Whether the current backend brings a kernel of this name. */
export const hasKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;

/** Runs a kernel that has no operation of its own in tfjs. */
export const runKernel = (name: string, inputs: Record<string, Tensor>, attributes: Record<string, number> = {}): Tensor | Tensor[] =>
  tf.engine().runKernel(name, inputs, attributes);
