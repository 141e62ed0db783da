import { EngineError, type HostTensor, type NamedHostTensors, type NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkAssigned } from '../assigned-state.js';
import type { Optimization, RunOptions, Step, StepDefinition, StepOutcome, StepResult } from '../contract.js';
import type { EagerState } from './eager-state.js';
import { applyGradients, createOptimizerState, gradientsOf } from './eager-update.js';
import { checkHostTensor, toHost, toTensor } from './host-tensors.js';

/** Everything of one evaluation that is read by the host. The tensors are kept and must be disposed. */
interface Evaluation {
  readonly loss?: tf.Tensor;
  readonly metrics: NamedTensors;
  readonly outputs: NamedTensors;
  /** New values of state. */
  readonly assign: NamedTensors;
  /** Names of all outputs that the step has. */
  readonly offered: readonly string[];
}

/**
 * A step that runs operation by operation on the backend that `onBackend` selects. The arithmetic is synchronous: the
 * promise of `run` is settled when it returns, and inputs are not touched afterwards.
 * @throws EngineError if the definition names state that does not exist, or updates what it does not read.
 */
export function createEagerStep(definition: StepDefinition, state: EagerState, onBackend: <T>(work: () => T) => T): Step {
  const { optimize } = definition;
  for (const name of definition.state) state.get(name);
  if (optimize) onBackend(() => createOptimizerState(definition, optimize, state));
  let declared: ReadonlyMap<string, string> | undefined;
  let disposed = false;

  const runNow = (inputs: NamedHostTensors, options: RunOptions): StepOutcome => {
    if (disposed) throw new EngineError('the step was disposed', { place: definition.name });
    if (optimize) checkRunOptions(definition, optimize, options);
    checkInputs(inputs, declared, definition.name);
    declared ??= new Map(Object.entries(inputs).map(([name, { dtype }]) => [name, dtype]));
    let outcome: StepOutcome | undefined;
    onBackend(() =>
      tf.tidy(() => {
        outcome = evaluateAndUpdate(definition, state, inputs, options);
      }),
    );
    return outcome as unknown as StepOutcome;
  };
  return {
    run: async (inputs, options = {}) => runNow(inputs, options),
    dispose() {
      disposed = true;
    },
  };
}

function evaluateAndUpdate(definition: StepDefinition, state: EagerState, inputs: NamedHostTensors, options: RunOptions): StepOutcome {
  const { optimize } = definition;
  const stateTensors: NamedTensors = Object.fromEntries(definition.state.map((name) => [name, state.get(name)]));
  const inputTensors: NamedTensors = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toTensor(value)]));
  const asked = (options.outputs ?? []).filter((name) => name !== 'norms');
  if (asked.length !== (options.outputs ?? []).length && (!optimize || options.phase === 'accumulate')) {
    throw new EngineError(`output 'norms' belongs to runs that update parameters`, { place: definition.name });
  }

  const kept: tf.Tensor[] = [];
  // Clones, so that what is returned may be a parameter or an input itself; kept, as autodiff tidies up behind the forward pass.
  const keep = (tensor: tf.Tensor): tf.Tensor => {
    const copy = tf.keep(tf.clone(tensor));
    kept.push(copy);
    return copy;
  };
  const evaluate = (): Evaluation => {
    const { loss, metrics = {}, outputs = {}, assign = {} }: StepResult = definition.compute(stateTensors, inputTensors);
    const found = Object.fromEntries(Object.entries(outputs).filter(([name]) => asked.includes(name)));
    return { ...(loss && { loss: keep(loss) }), metrics: mapValues(metrics, keep), outputs: mapValues(found, keep), assign: mapValues(assign, keep), offered: Object.keys(outputs) };
  };
  const write = ({ assign }: Evaluation): void => {
    for (const [name, value] of Object.entries(assign)) state.get(name).assign(value);
  };

  try {
    if (!optimize) {
      const evaluation = evaluate();
      const { loss, metrics, outputs } = evaluation;
      requireOutputs(asked, evaluation, definition.name);
      checkAssigned(definition, evaluation.assign, (name) => state.get(name).shape);
      write(evaluation);
      return { metrics: { ...mapValues(metrics, scalar), ...(loss && { loss: scalar(loss) }) }, outputs: mapValues(outputs, toHost) };
    }
    const { evaluation, gradients } = gradientsOf(definition, optimize, state, evaluate);
    requireOutputs(asked, evaluation, definition.name);
    checkAssigned(definition, evaluation.assign, (name) => state.get(name).shape);
    const loss = scalar(evaluation.loss as tf.Tensor);
    const { gradNorm, norms } = applyGradients(optimize, state, gradients, loss, options);
    write(evaluation);
    const outputs: Record<string, HostTensor> = mapValues(evaluation.outputs, toHost);
    for (const [name, value] of Object.entries(norms ?? {})) outputs[name] = { shape: [], dtype: 'float32', data: Float32Array.of(value) };
    return { metrics: { ...mapValues(evaluation.metrics, scalar), loss, gradNorm }, outputs };
  } finally {
    tf.dispose(kept);
  }
}

/** Called behind the forward pass: an error inside it would leak what tfjs saved for the backward pass. */
function requireOutputs(asked: readonly string[], { offered }: Evaluation, place: string): void {
  const lacking = asked.find((name) => !offered.includes(name));
  if (lacking === undefined) return;
  throw new EngineError(`the step has no output '${lacking}'`, { place, remedy: `It has: ${offered.join(', ') || '(none)'}.` });
}

const scalar = (tensor: tf.Tensor): number => tensor.dataSync()[0] as number;

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));

function checkRunOptions({ name }: StepDefinition, { accumulate = 1 }: Optimization, { phase = 'apply', lr, update }: RunOptions): void {
  if (phase === 'accumulate') {
    if (accumulate > 1) return;
    throw new EngineError('this step updates at every run, it does not accumulate', { place: name, remedy: 'Set accumulate in its definition.' });
  }
  if (lr === undefined || !Number.isFinite(lr)) throw new EngineError(`learning rate ${lr} is not a number`, { place: name, remedy: 'Give run() the option lr.' });
  if (update === undefined || !Number.isInteger(update) || update < 1) {
    throw new EngineError(`update ${update} is not a whole number from 1 on`, { place: name, remedy: 'Give run() the option update.' });
  }
}

/** Inputs are what they say, and those of the first run. */
function checkInputs(inputs: NamedHostTensors, declared: ReadonlyMap<string, string> | undefined, step: string): void {
  for (const [name, value] of Object.entries(inputs)) checkHostTensor(`${step}: input ${name}`, value);
  for (const [name, dtype] of declared ?? []) {
    const given = inputs[name]?.dtype;
    if (given === dtype) continue;
    throw new EngineError(given === undefined ? 'the input is missing' : `${given} was given, ${dtype} is needed`, { place: `${step}: input ${name}` });
  }
}
