import { examplePlan, sizeOfShape, stepInputSpecs, type Objective } from '@mimlab/core';
import { findKernels, findTensorflow, stepMemory, type RecordedBlock } from '@mimlab/engine';
import { keptPairedBlockBytes, TORCH_FP32_PARAMETER_BYTES, TORCH_PARAMETER_BYTES, type KeptBy } from '@mimlab/nn';
import { pretrainStep } from '@mimlab/train';
import type { MimlabConfig } from '../run/run-context.js';
import { neutralStatistics } from './neutral-statistics.js';

/** How much PyTorch holds for the same model, in one of its precisions; see `torchMemory`. */
export interface TorchMemory {
  /** Kept for the backward pass, one image. */
  readonly kept: number;
  /** With `batch` images and what has the size of the parameters. */
  readonly total: number;
}

/** Bytes of a training step. */
export interface StepBytes {
  /** Images of the step. */
  readonly batch: number;
  /** Kept for the backward pass by the compiled step, one image, by part. */
  readonly parts: Readonly<Record<string, number>>;
  readonly kept: number;
  /** All parameters, frozen ones too. */
  readonly parameters: number;
  readonly gradients: number;
  /** AdamW's two means of each trained parameter. */
  readonly moments: number;
  /** Sums of gradients over the micro-batches of an update, where there are several. */
  readonly sums: number;
  /** Parameters and inputs in bfloat16, for the products that read them. */
  readonly copies: number;
  /** All of these, with `batch` images. */
  readonly total: number;
  readonly torch: Readonly<Record<'mixed' | 'fp32', TorchMemory>>;
}

/**
 * Counts the memory of a training step of `config.train.batch` images. What the compiled step keeps is read off its
 * recording, so it is exact for any method; nothing is run.
 */
export function countMemory(objective: Objective, { engine, train }: Pick<MimlabConfig, 'engine' | 'train'>): StepBytes {
  const { batch } = train;
  const specs = objective.params();
  const location = findTensorflow();
  const { kept, blocks, outsideBlocks } = stepMemory(
    pretrainStep(objective, neutralStatistics(objective.image.channels), train),
    Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, shape])),
    stepInputSpecs(objective, batch, examplePlan(objective)),
    { precision: engine.precision, recompute: engine.recompute, fused: !engine.xla && location !== undefined && findKernels(location) !== undefined },
  );
  const sizes = (which: (trainable: boolean) => boolean): number =>
    Object.values(specs).reduce((sum, { shape, trainable }) => sum + (which(trainable) ? sizeOfShape(shape) : 0), 0);
  const trained = sizes((trainable) => trainable);
  const parts = Object.fromEntries(Object.entries(kept.parts).map(([name, bytes]) => [name, bytes / batch]));
  const image = Object.values(parts).reduce((a, b) => a + b, 0);
  const fixed = { parameters: 4 * sizes(() => true), gradients: 4 * trained, moments: 8 * trained, sums: train.accumulate > 1 ? 4 * trained : 0, copies: kept.copies };
  const torch = (by: KeptBy, parameterBytes: number): TorchMemory => torchMemory(by, parameterBytes, { blocks, outsideBlocks, trained, batch });
  return {
    batch,
    parts,
    kept: image,
    ...fixed,
    total: Object.values(fixed).reduce((a, b) => a + b, batch * image),
    torch: { mixed: torch('torch-mixed', TORCH_PARAMETER_BYTES), fp32: torch('torch-fp32', TORCH_FP32_PARAMETER_BYTES) },
  };
}

interface TorchModel {
  readonly blocks: readonly RecordedBlock[];
  readonly outsideBlocks: number;
  readonly trained: number;
  readonly batch: number;
}

/**
 * The memory model of the PR-MIM specification (section 13): transformer blocks by closed formula, of which almost all memory
 * is made, everything outside them as our own recording keeps it in float32.
 */
function torchMemory(by: KeptBy, parameterBytes: number, { blocks, outsideBlocks, trained, batch }: TorchModel): TorchMemory {
  const activations = blocks.reduce((sum, block) => sum + keptPairedBlockBytes(by, block), outsideBlocks);
  return { kept: activations / batch, total: activations + parameterBytes * trained };
}
