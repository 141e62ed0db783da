import { CompositionError, objectiveBatch, type HostTensor, type Objective, type PixelStatistics } from '@mimlab/core';
import type { StepDefinition, StepOutcome } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Gradients } from './compare-gradients.js';

const OUTPUT = 'gradient/';

/**
 * The gradient of a training loss by the parameters named, without an update: output `gradient/NAME` for each, zeros
 * where the loss does not depend on it; metric `loss`. Inputs are those of pre-training.
 * @throws CompositionError if the objective has no such parameter
 */
export function gradientStep(objective: Objective, statistics: PixelStatistics, names: readonly string[]): StepDefinition {
  const state = Object.keys(objective.params());
  for (const name of names) {
    if (!state.includes(name)) throw new CompositionError('one of the methods compared lacks this parameter', { place: name, remedy: 'Compare wrapped and unwrapped forms of one model.' });
  }
  return {
    name: 'gradient',
    state,
    compute(values, inputs) {
      const parameters = names.map((name) => values[name] as Tensor);
      const { value, grads } = tf.engine().gradients<Scalar>(() => objective.evaluate(objectiveBatch(inputs, objective, statistics), values, true).loss, parameters, undefined, true);
      const outputs = names.map((name, place): [string, Tensor] => [OUTPUT + name, (grads[place] as Tensor | null | undefined) ?? tf.zerosLike(parameters[place] as Tensor)]);
      return { metrics: { loss: value }, outputs: Object.fromEntries(outputs) };
    },
  };
}

/** Outputs to ask for. */
export const gradientOutputs = (names: readonly string[]): string[] => names.map((name) => OUTPUT + name);

/** The gradients of an outcome. */
export const gradientsOf = ({ outputs }: StepOutcome, names: readonly string[]): Gradients =>
  Object.fromEntries(names.map((name) => [name, (outputs[OUTPUT + name] as HostTensor).data as Float32Array]));
