import { examplePlan, randomStream, sizeOfShape, stackPlans, type HostTensor, type NamedHostTensors, type Objective } from '@mimlab/core';
import { createEngine, type Step } from '@mimlab/engine';
import { hookRandomness, pretrainStep } from '@mimlab/train';
import type { MimlabConfig } from '../run/run-context.js';
import { neutralStatistics } from './neutral-statistics.js';

/** Inputs of one step over random pixels. */
function exampleInputs(objective: Objective, batch: number): NamedHostTensors {
  const { image, sampler, target } = objective;
  const bytes = image.height * image.width * image.channels;
  const stream = randomStream('example', 'pixels');
  const pixels = Uint8Array.from({ length: batch * bytes }, () => stream.int(256));
  const shared = sampler.scope === 'batch';
  const plans = Array.from({ length: batch }, (_, number) => examplePlan(objective, shared ? 0 : number));
  const inputs: Record<string, HostTensor> = {
    images: { shape: [batch, image.height, image.width, image.channels], dtype: 'uint8', data: pixels },
    ...stackPlans(plans, { shared }),
    ...hookRandomness(objective, batch, 0, 1, 0),
  };
  const { hostTargets } = target;
  if (hostTargets === undefined) return inputs;
  const computed = plans.map((_, b) => hostTargets.compute(pixels.subarray(b * bytes, (b + 1) * bytes)));
  for (const [name, shape] of Object.entries(hostTargets.shapes)) {
    const data = new Float32Array(batch * sizeOfShape(shape));
    computed.forEach((of, b) => data.set(of[name] as Float32Array, b * sizeOfShape(shape)));
    inputs[`host.${name}`] = { shape: [batch, ...shape], dtype: 'float32', data };
  }
  return inputs;
}

/** A compiled step of pre-training with inputs of one batch, to be measured. */
export interface ExampleStep {
  readonly step: Step;
  readonly inputs: NamedHostTensors;
  dispose(): void;
}

/**
 * Compiles the step of a configuration on the graph engine. Parameters hold a constant: time and memory do not depend on their
 * values, and a file with some need not be there.
 * @throws EngineError if there is no libtensorflow, see `whyNotMeasured`
 */
export async function openExampleStep(objective: Objective, { engine: options, train }: Pick<MimlabConfig, 'engine' | 'train'>): Promise<ExampleStep> {
  const engine = await createEngine({ ...options, kind: 'graph' });
  try {
    const sizes = Object.entries(objective.params()).map(([name, { shape }]) => ({ name, shape, size: sizeOfShape(shape) }));
    // One array for all: whatever lay around on the host would be counted as resident.
    const constant = new Float32Array(Math.max(...sizes.map(({ size }) => size))).fill(0.01);
    await engine.define(Object.fromEntries(sizes.map(({ name, shape, size }) => [name, { shape, init: () => constant.subarray(0, size) }])));
    const step = engine.compile(pretrainStep(objective, neutralStatistics(objective.image.channels), train));
    return {
      step,
      inputs: exampleInputs(objective, train.batch),
      dispose: () => {
        engine.dispose();
      },
    };
  } catch (error) {
    engine.dispose();
    throw error;
  }
}
