import '@tensorflow/tfjs';
import { EngineError, type NamedTensors, type TensorSpec } from '@mimlab/core';
import { createRecorder, type Recorder } from './recorder.js';
import type { Recording, TracedInput, TracedValue } from './recording.js';
import { withTraceBackend, type TraceScope } from './trace-backend.js';

/** Inputs of a trace as tensors, and their record. */
export function traceInputs(
  recorder: Recorder,
  scope: TraceScope,
  specs: Readonly<Record<string, TensorSpec>>,
): { readonly tensors: NamedTensors; readonly inputs: Record<string, TracedInput> } {
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([name, spec]): [string, TracedInput] => {
      const value = recorder.value({ shape: spec.shape, dtype: spec.dtype === 'float32' ? 'float32' : 'int32' });
      return [name, { value, spec }];
    }),
  );
  return { inputs, tensors: Object.fromEntries(Object.entries(inputs).map(([name, { value }]) => [name, scope.tensor(value)])) };
}

/**
 * Writes down what `fn` does to inputs of the given shapes, without computing anything. `fn` must be pure arithmetic
 * in tfjs operations; it runs once, with tensors that hold no data (uint8 inputs appear as int32).
 * @param fused also offer the kernels of the native library (`MimGelu` and others).
 * @throws EngineError whose place is the kernel, for an operation that the graph engine does not know, or if data is read.
 */
export function traceFunction(fn: (inputs: NamedTensors) => NamedTensors, inputSpecs: Readonly<Record<string, TensorSpec>>, fused = false): Recording {
  const recorder = createRecorder();
  return withTraceBackend(recorder, fused, (scope) => {
    const { tensors, inputs } = traceInputs(recorder, scope, inputSpecs);
    const outputs: Record<string, TracedValue> = {};
    for (const [name, tensor] of Object.entries(fn(tensors))) {
      if (tensor === undefined) throw new EngineError(`output '${name}' is not a tensor`, { place: 'trace' });
      outputs[name] = scope.value(tensor);
    }
    return { inputs, nodes: recorder.nodes, outputs };
  });
}
