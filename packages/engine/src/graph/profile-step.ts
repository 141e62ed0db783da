import { EngineError, type NamedHostTensors } from '@mimlab/core';
import type { RunOptions, Step, StepOutcome } from '../contract.js';
import type { RunProfile } from '../tensorflow/run-metadata.js';
import type { GraphStep } from './graph-step.js';

/** One run of a step and what TensorFlow recorded of it. */
export interface StepProfile {
  readonly outcome: StepOutcome;
  readonly profile: RunProfile;
}

/**
 * Runs a step once under TensorFlow's tracer: the peak of the memory that the step itself allocates, and time by
 * operation type. The step counts as run; it is slower than an ordinary one.
 * @throws EngineError for a step of an eager engine.
 */
export async function profileStep(step: Step, inputs: NamedHostTensors, options?: RunOptions): Promise<StepProfile> {
  const { profile } = step as Partial<GraphStep>;
  if (profile === undefined) throw new EngineError('only compiled steps can be profiled', { place: 'profileStep', remedy: 'Use engine.kind graph.' });
  return profile(inputs, options);
}
