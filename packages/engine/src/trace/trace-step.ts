import '@tensorflow/tfjs';
import { EngineError, MimlabError, type NamedTensors, type TensorSpec } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkAssigned } from '../assigned-state.js';
import type { StepDefinition, StepResult } from '../contract.js';
import { createRecorder, type Recorder } from './recorder.js';
import type { Recording, TracedInput, TracedValue } from './recording.js';
import { withTraceBackend, type TraceScope } from './trace-backend.js';
import { traceInputs } from './trace-function.js';

/**
 * A step written down. Inputs are `state/NAME` and `input/NAME`; outputs `loss`, `metric/NAME`, `output/NAME`,
 * `assign/NAME` for new values of state, and for a step that optimizes `grad/NAME` of each updated parameter that the loss depends on, in order of declaration.
 */
export type StepRecording = Recording;

/**
 * @param fused also offer the kernels of the native library.
 * @throws EngineError if the step cannot be compiled; its place is the kernel or the step.
 */
export function traceStep(
  definition: StepDefinition,
  stateShapes: ReadonlyMap<string, readonly number[]>,
  inputSpecs: Readonly<Record<string, TensorSpec>>,
  fused = false,
): StepRecording {
  const recorder = createRecorder();
  const stateSpecs = Object.fromEntries(definition.state.map((name): [string, TensorSpec] => [name, { shape: stateShapes.get(name) ?? [], dtype: 'float32' }]));
  return withTraceBackend(recorder, fused, (scope) => {
    const state = traceInputs(recorder, scope, stateSpecs);
    const given = traceInputs(recorder, scope, inputSpecs);
    const inputs: Record<string, TracedInput> = {};
    for (const [name, input] of Object.entries(state.inputs)) inputs[`state/${name}`] = input;
    for (const [name, input] of Object.entries(given.inputs)) inputs[`input/${name}`] = input;
    const outputs = record(definition, recorder, scope, state.tensors, given.tensors, stateShapes);
    return { inputs, nodes: recorder.nodes, outputs };
  });
}

function record(definition: StepDefinition, recorder: Recorder, scope: TraceScope, state: NamedTensors, inputs: NamedTensors, shapes: ReadonlyMap<string, readonly number[]>): Record<string, TracedValue> {
  const outputs: Record<string, TracedValue> = {};
  const evaluate = (): StepResult => {
    const result = compute(definition, state, inputs);
    if (result.loss !== undefined) outputs['loss'] = scalarValue(scope, result.loss, 'loss', definition.name);
    for (const [name, metric] of Object.entries(result.metrics ?? {})) outputs[`metric/${name}`] = scalarValue(scope, metric, name, definition.name);
    for (const [name, tensor] of Object.entries(result.outputs ?? {})) outputs[`output/${name}`] = scope.value(tensor);
    checkAssigned(definition, result.assign ?? {}, (name) => shapes.get(name));
    for (const [name, tensor] of Object.entries(result.assign ?? {})) outputs[`assign/${name}`] = scope.value(tensor);
    return result;
  };
  if (definition.optimize === undefined) {
    evaluate();
    return outputs;
  }

  const names = updatedNames(definition);
  const params = names.map((name) => state[name] as tf.Tensor);
  const differentiate = (f: () => tf.Scalar): tf.Tensor[] => tf.engine().gradients(f, params, undefined, true).grads;
  const grads = differentiate(() => {
    const { loss } = evaluate();
    if (loss === undefined) throw new EngineError('the step optimizes but gives no loss', { place: definition.name });
    recorder.pass = 'backward';
    return loss;
  });
  names.forEach((name, index) => {
    const gradient = grads[index] as tf.Tensor | null | undefined;
    if (gradient) outputs[`grad/${name}`] = scope.value(gradient);
  });
  return outputs;
}

/** Updated parameters in the order in which the step declares its state. */
export const updatedNames = ({ state, optimize }: StepDefinition): string[] => state.filter((name) => optimize !== undefined && name in optimize.updates);

function compute(definition: StepDefinition, state: NamedTensors, inputs: NamedTensors): StepResult {
  try {
    return definition.compute(state, inputs);
  } catch (cause) {
    if (cause instanceof MimlabError) throw cause;
    throw new EngineError(`the step cannot be traced: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: definition.name,
      remedy: `Inputs given: ${Object.entries(inputs).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ') || 'none'}.`,
      cause,
    });
  }
}

function scalarValue(scope: TraceScope, tensor: tf.Tensor, name: string, step: string): TracedValue {
  const value = scope.value(tensor);
  if (value.shape.length === 0) return value;
  throw new EngineError(`'${name}' has shape [${value.shape.join(', ')}], expected a scalar`, { place: step });
}
