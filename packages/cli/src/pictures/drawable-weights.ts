import { CheckpointError, loadWeights, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { parameterState } from '@mimlab/train';
import type { RunContext } from '../run/run-context.js';

/**
 * Loads weights that cover every parameter: with an untrained decoder the picture would be noise that looks like a result.
 * @param weights a safetensors file, a torch archive or a checkpoint folder
 * @throws CheckpointError if a trained parameter is missing, or the file is of a larger model
 */
export async function loadDrawableWeights(engine: Engine, weights: string, { objective, config }: RunContext): Promise<void> {
  const specs = objective.params();
  const { values, missing, unexpected } = await loadWeights(weights, specs, { strict: false });
  const untrained = missing.filter((name) => specs[name]?.trainable === true);
  if (untrained.length > 0) refuseUntrained(weights, untrained, specs);
  // A deeper model of the same width has all of these parameters, and more: drawn with some of them it would be wrong.
  if (unexpected.length > 0) {
    throw new CheckpointError(`the file has ${unexpected.length} parameters that the run's model lacks (${someOf(unexpected)})`, {
      place: weights,
      remedy: 'Use weights of the model that the configuration of the run describes.',
    });
  }
  // Weights of one checkpoint after the other go into the same engine.
  if (engine.stateNames().length === 0) await engine.define(parameterState(specs, config.seed));
  await engine.write(values);
}

const someOf = (names: readonly string[]): string => `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;

function refuseUntrained(weights: string, untrained: readonly string[], specs: ParamSpecs): never {
  const all = Object.values(specs).filter(({ trainable }) => trainable).length;
  throw new CheckpointError(`${untrained.length} of ${all} trained parameters are not in the file (${someOf(untrained)})`, {
    place: weights,
    remedy: 'A reconstruction needs the decoder, which files for fine-tuning leave out. Use a checkpoint of pre-training.',
  });
}
