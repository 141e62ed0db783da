import type { Objective } from '@mimlab/core';
import { findTensorflow, profileStep, resetResidentPeak, residentPeak } from '@mimlab/engine';
import type { MimlabConfig } from '../run/run-context.js';
import { openExampleStep } from './example-step.js';

/** What a compiled step used. */
export interface MeasuredMemory {
  /** Most bytes that the step's own allocations held at once, from TensorFlow's record of a run. Parameters and moments are not in it. */
  readonly stepPeak: number;
  /** Largest resident memory of the whole process during a step. */
  readonly residentPeak: number;
}

/**
 * Runs a compiled step three times: to compile it, to see how far the process grows, and under TensorFlow's tracer.
 * @throws EngineError if there is no libtensorflow, see `whyNotMeasured`
 */
export async function measureMemory(objective: Objective, config: Pick<MimlabConfig, 'engine' | 'train'>): Promise<MeasuredMemory> {
  const { step, inputs, dispose } = await openExampleStep(objective, config);
  try {
    await step.run(inputs, { lr: 0, update: 1 });
    resetResidentPeak();
    await step.run(inputs, { lr: 0, update: 2 });
    const resident = residentPeak();
    const { profile } = await profileStep(step, inputs, { lr: 0, update: 3 });
    return { stepPeak: profile.peakBytes, residentPeak: resident };
  } finally {
    dispose();
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
