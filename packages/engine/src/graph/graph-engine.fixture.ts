import '@tensorflow/tfjs';
import { sizeOfShape, type HostTensor, type NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe } from 'vitest';
import type { Engine, EngineOptions, StepDefinition } from '../contract.js';
import { findKernels, findTensorflow } from '../install/index.js';
import { createGraphEngine } from './graph-engine.js';

const location = findTensorflow();
const library = location?.library;

/** Who computes: TensorFlow's own operations, and the native library where it is compiled. */
export const COMPUTED_BY: readonly { readonly by: string; readonly kernels: string | undefined }[] = [undefined, location && findKernels(location)]
  .map((kernels, index) => ({ by: index === 0 ? 'TensorFlow' : 'the native library', kernels }))
  .filter(({ kernels }, index) => index === 0 || kernels !== undefined);

/** `describe` for tests that need libtensorflow; without it they are skipped, and say so. */
export function describeGraph(name: string, tests: () => void): void {
  if (library === undefined) process.stdout.write(`skipped, no libtensorflow found: ${name}\n`);
  describe.skipIf(library === undefined)(name, tests);
}

/** Runs `body` with an engine of its own. */
export async function withEngine<T>(body: (engine: Engine) => Promise<T>, options: Partial<EngineOptions> = {}, kernels?: string): Promise<T> {
  const engine = createGraphEngine({ kind: 'graph', precision: 'fp32', threads: 2, ...options }, library as string, kernels);
  try {
    return await body(engine);
  } finally {
    engine.dispose();
  }
}

export const float = (shape: readonly number[], data: readonly number[] | Float32Array): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from(data) });
export const int = (shape: readonly number[], data: readonly number[]): HostTensor => ({ shape, dtype: 'int32', data: Int32Array.from(data) });

/** Numbers between -1 and 1 that repeat nowhere near; no random stream is needed for a test. */
export const wave = (shape: readonly number[], phase = 0): HostTensor =>
  float(shape, Array.from({ length: sizeOfShape(shape) }, (_, i) => Math.sin(i * 1.7 + phase)));

/** What `fn` gives on tfjs' cpu backend. */
export function onCpu(fn: (inputs: NamedTensors) => NamedTensors, inputs: Readonly<Record<string, HostTensor>>): Record<string, number[]> {
  void tf.setBackend('cpu');
  const values: Record<string, number[]> = {};
  tf.tidy(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape, dtype }]) => [name, tf.tensor(Array.from(data), [...shape], dtype === 'float32' ? 'float32' : 'int32')]),
    );
    for (const [name, tensor] of Object.entries(fn(tensors))) values[name] = Array.from(tensor.dataSync());
  });
  return values;
}

/** What the same gives as a compiled step. */
export async function onGraph(
  engine: Engine,
  fn: (inputs: NamedTensors) => NamedTensors,
  inputs: Readonly<Record<string, HostTensor>>,
  name = 'test',
): Promise<Record<string, HostTensor>> {
  const names: string[] = [];
  const definition: StepDefinition = {
    name,
    state: [],
    compute: (_, tensors) => {
      const outputs = fn(tensors);
      names.push(...Object.keys(outputs));
      return { outputs };
    },
  };
  const step = engine.compile(definition);
  await step.run(inputs);
  const { outputs } = await step.run(inputs, { outputs: names });
  step.dispose();
  return outputs;
}
