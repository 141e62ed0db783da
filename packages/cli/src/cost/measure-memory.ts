import { examplePlan, randomStream, sizeOfShape, stackPlans, type HostTensor, type NamedHostTensors, type Objective } from '@mimlab/core';
import { createEngine, findTensorflow, profileStep, resetResidentPeak, residentPeak } from '@mimlab/engine';
import { hookRandomness, pretrainStep } from '@mimlab/train';
import type { MimlabConfig } from '../run/run-context.js';
import { neutralStatistics } from './neutral-statistics.js';

/** What a compiled step used. */
export interface MeasuredMemory {
  /** Most bytes that the step's own allocations held at once, from TensorFlow's record of a run. Parameters and moments are not in it. */
  readonly stepPeak: number;
  /** Largest resident memory of the whole process during a step. */
  readonly residentPeak: number;
}

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

/**
 * Runs a compiled step three times: to compile it, to see how far the process grows, and under TensorFlow's tracer.
 * Parameters hold a constant: memory does not depend on their values, and a file with some need not be there.
 * @throws EngineError if there is no libtensorflow, see `whyNotMeasured`
 */
export async function measureMemory(objective: Objective, { engine: options, train }: Pick<MimlabConfig, 'engine' | 'train'>): Promise<MeasuredMemory> {
  const engine = await createEngine({ ...options, kind: 'graph' });
  try {
    const sizes = Object.entries(objective.params()).map(([name, { shape }]) => ({ name, shape, size: sizeOfShape(shape) }));
    // One array for all: whatever lay around on the host would be counted as resident.
    const constant = new Float32Array(Math.max(...sizes.map(({ size }) => size))).fill(0.01);
    await engine.define(Object.fromEntries(sizes.map(({ name, shape, size }) => [name, { shape, init: () => constant.subarray(0, size) }])));
    const step = engine.compile(pretrainStep(objective, neutralStatistics(objective.image.channels), train));
    const inputs = exampleInputs(objective, train.batch);
    await step.run(inputs, { lr: 0, update: 1 });
    resetResidentPeak();
    await step.run(inputs, { lr: 0, update: 2 });
    const resident = residentPeak();
    const { profile } = await profileStep(step, inputs, { lr: 0, update: 3 });
    return { stepPeak: profile.peakBytes, residentPeak: resident };
  } finally {
    engine.dispose();
  }
}

/** Besides what is counted: libraries, the executor's working memory, and what allocators round up. */
const OVERHEAD = 1.5e9;

/** Why a step of so many bytes cannot be run here; undefined where it can. */
export function whyNotMeasured(total: number, available = process.availableMemory()): string | undefined {
  if (findTensorflow() === undefined) return `no libtensorflow was found; 'npm run setup' gets it`;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  if (total + OVERHEAD <= available) return undefined;
  return `the step needs about ${gigabytes(total + OVERHEAD)}, ${gigabytes(available)} are free; --set train.batch=N makes it smaller`;
}
