import { objectiveBatch, randomStream, sizeOfShape, type NamedTensors, type Objective, type ObjectiveOutcome, type ParamSpecs, type PixelStatistics } from '@mimlab/core';
import type { StateSpec, StepDefinition } from '@mimlab/engine';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainConfig } from './config.js';
import { parameterUpdates } from './parameter-groups.js';

/** Starting values of parameters, each drawn from the stream (seed, 'init', name). */
export function parameterState(specs: ParamSpecs, seed: number): Record<string, StateSpec> {
  const entries = Object.entries(specs).map(([name, spec]): [string, StateSpec] => [
    name,
    { shape: spec.shape, init: () => spec.init(spec.shape, randomStream(seed, 'init', name)) },
  ]);
  return Object.fromEntries(entries);
}

/** The same parameters at zero: for values that are read from a file next. Drawing those of a ViT-B takes seconds. */
export function blankState(specs: ParamSpecs): Record<string, StateSpec> {
  return Object.fromEntries(Object.entries(specs).map(([name, { shape }]): [string, StateSpec] => [name, { shape, init: () => new Float32Array(sizeOfShape(shape)) }]));
}

/**
 * Tensors of an evaluation that can be asked for by name: `features.NAME`, `predictions.BRANCH.NAME` (for the cells
 * the scoring asks for), `targets.BRANCH.NAME` (whole grid, raster order).
 */
function outputsOf({ features, predictions, targets }: ObjectiveOutcome): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  for (const [name, feature] of Object.entries(features)) outputs[`features.${name}`] = feature;
  for (const [branch, { values }] of Object.entries(predictions)) {
    for (const [name, value] of Object.entries(values)) outputs[`predictions.${branch}.${name}`] = value;
  }
  for (const [branch, values] of Object.entries(targets)) {
    for (const [name, value] of Object.entries(values)) outputs[`targets.${branch}.${name}`] = value;
  }
  return outputs;
}

function objectiveStep(name: string, objective: Objective, specs: ParamSpecs, statistics: PixelStatistics, training: boolean): StepDefinition {
  return {
    name,
    state: Object.keys(specs),
    compute(state: NamedTensors, inputs: NamedTensors) {
      const outcome = objective.evaluate(objectiveBatch(inputs, objective, statistics), state, training);
      return { loss: outcome.loss, metrics: outcome.parts, outputs: outputsOf(outcome) };
    },
  };
}

/** Loss, its parts and the tensors of a batch without learning from it: for pictures and validation. */
export const evaluationStep = (objective: Objective, statistics: PixelStatistics): StepDefinition =>
  objectiveStep('evaluate', objective, objective.params(), statistics, false);

/**
 * The step of pre-training: loss of the objective, AdamW on its trainable parameters.
 * Inputs are those of `stepInputSpecs`; metrics are `loss`, `gradNorm` and the parts of the loss.
 * @param cacheKey see `StepDefinition`
 */
export function pretrainStep(objective: Objective, statistics: PixelStatistics, config: TrainConfig, cacheKey?: string): StepDefinition {
  const specs = objective.params();
  return {
    ...(cacheKey === undefined ? {} : { cacheKey }),
    ...objectiveStep('pretrain', objective, specs, statistics, true),
    optimize: {
      updates: parameterUpdates(specs, config),
      accumulate: config.accumulate,
      ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    },
  };
}
