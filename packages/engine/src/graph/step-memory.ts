import type { TensorSpec } from '@mimlab/core';
import type { EngineOptions, StepDefinition } from '../contract.js';
import { recordedBlocks, type RecordedBlock } from '../trace/recorded-blocks.js';
import { traceStep } from '../trace/trace-step.js';
import { fuseBias, optimizeRecording } from './optimize-recording.js';
import { keptMemory, type KeptMemory } from './recompute/kept-memory.js';
import { recomputeForward } from './recompute/recompute.js';

export interface StepMemory {
  readonly kept: KeptMemory;
  /** For memory models of other implementations: the transformer blocks that the step differentiates, and what is kept outside them in float32. */
  readonly blocks: readonly RecordedBlock[];
  readonly outsideBlocks: number;
}

export interface StepMemoryOptions extends Pick<EngineOptions, 'precision' | 'recompute'> {
  /** Count for a machine that has the native library. */
  readonly fused: boolean;
}

/**
 * What an optimizing step keeps from its forward to its backward pass in the compiled engine, read off its recording.
 * Nothing is computed and no TensorFlow is needed.
 * @param state shapes of the state that the step reads
 * @param inputs shapes and types of its inputs
 * @throws EngineError if the step cannot be traced
 */
export function stepMemory(definition: StepDefinition, state: Readonly<Record<string, readonly number[]>>, inputs: Readonly<Record<string, TensorSpec>>, options: StepMemoryOptions): StepMemory {
  const shapes = new Map(Object.entries(state));
  const trace = (fused: boolean) => {
    const recording = traceStep(definition, shapes, inputs, fused);
    return optimizeRecording(recording, Object.keys(recording.outputs).filter((name) => !name.startsWith('output/')));
  };
  const recording = recomputeForward(fuseBias(trace(options.fused)), options.recompute ?? 'none');
  // Fused kernels hide what a block consists of.
  const plain = trace(false);
  return { kept: keptMemory(recording, options.precision), blocks: recordedBlocks(plain), outsideBlocks: keptMemory(plain, 'fp32').outsideBlocks };
}
