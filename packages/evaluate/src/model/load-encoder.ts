import { CheckpointError, loadWeights, randomStream, type Encoder, type HostTensor, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import { resizeParameters } from './resize-parameters.js';

export interface LoadEncoderOptions {
  /** Safetensors file, torch archive, checkpoint or run folder, official names; undefined: the values that training starts from. */
  readonly weights: string | undefined;
  /** The encoder at the size the weights are of, and at the one that is evaluated. */
  readonly source: Encoder;
  readonly target: Encoder;
  /** Everything that pre-training has: what evaluation leaves out and may stand in the file all the same. */
  readonly pretraining: ParamSpecs;
  readonly seed: number;
  /** Told what of the file is not used. */
  readonly notice: (message: string) => void;
}

/** Heads of other tasks in official files; evaluation brings its own. */
const HEADS = /^(head|fc_norm)\./;

/**
 * The parameters of an encoder, brought to another image size where that differs. Strict: every parameter of the encoder
 * must be there, and nothing that neither pre-training nor a classifier's head has.
 * @throws CheckpointError listing what is missing or unknown
 */
export async function loadEncoder({ weights, source, target, pretraining, seed, notice }: LoadEncoderOptions): Promise<NamedHostTensors> {
  const specs = source.params();
  const sized = (values: NamedHostTensors): NamedHostTensors => resizeParameters(values, { specs, grid: source.grid }, { specs: target.params(), grid: target.grid });
  if (weights === undefined) return sized(startingValues(specs, seed));
  const { values, missing, unexpected } = await loadWeights(weights, specs, { strict: false });
  const foreign = unexpected.filter((name) => !Object.hasOwn(pretraining, name) && !HEADS.test(name));
  const problems = [...some('is missing', missing), ...some('is not known to the model', foreign)];
  if (problems.length > 0) {
    throw new CheckpointError(`the weights do not fit the encoder:\n  ${problems.join('\n  ')}`, { place: weights, remedy: 'Give the configuration that they were trained with by --config.' });
  }
  const heads = unexpected.filter((name) => HEADS.test(name));
  if (heads.length > 0) notice(`${weights}: not used: ${heads.join(', ')}`);
  return sized(values);
}

/** What training starts from. */
function startingValues(specs: ParamSpecs, seed: number): NamedHostTensors {
  return Object.fromEntries(Object.entries(specs).map(([name, { shape, init }]): [string, HostTensor] => [name, { shape, dtype: 'float32', data: init(shape, randomStream(seed, 'init', name)) }]));
}

const some = (what: string, names: readonly string[]): string[] => {
  const lines = names.slice(0, 11).map((name) => `'${name}' ${what}`);
  return names.length > 11 ? [...lines, `... and ${names.length - 11} more like this`] : lines;
};
