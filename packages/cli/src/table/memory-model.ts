import { cellsOf, sizeOfShape, type Objective } from '@mimlab/core';
import { keptBlockBytes, TORCH_PARAMETER_BYTES } from '@mimlab/nn';
import { z } from 'zod';
import type { PaperRow } from './paper-tables.js';

/** Images on one device: those at which the model meets the published ratios best (PR-MIM specification, section 13.2). */
const BATCH: Readonly<Partial<Record<PaperRow['framework'], number>>> = { MAE: 128, SimMIM: 64 };

/** Bytes of training with mixed precision in PyTorch, by the memory model of the PR-MIM specification (section 13). */
export interface ModelledMemory {
  /** Images of the step. */
  readonly batch: number;
  /** Kept for the backward pass, one image. */
  readonly kept: number;
  /** With `batch` images and everything of the parameters' size. */
  readonly total: number;
}

const ViT = z.object({ width: z.number(), depth: z.number(), heads: z.number() });
const WithDecoder = ViT.extend({ decoderWidth: z.number(), decoderDepth: z.number(), decoderHeads: z.number() });

/** Sizes that the closed formulas speak of. */
interface Sizes {
  /** Image, values of all channels. */
  readonly pixels: number;
  /** Tokens of the grid. */
  readonly cells: number;
  readonly visible: number;
  readonly retained: number;
  readonly thrown: number;
  /** Values predicted for a token. */
  readonly predicted: number;
  /** Whether thrown tokens are made from the others. */
  readonly progressive: boolean;
}

/** The image in fp32 and its fp16 copy. */
const imageBytes = ({ pixels }: Sizes): number => 6 * pixels;

/** Final norm and head: on the grid where thrown tokens are made by a convolution, which keeps its input; on the retained tokens alone where they are lost. */
function headBytes({ cells, retained, thrown, predicted, progressive }: Sizes, width: number, sequence: number): number {
  if (progressive) return 2 * cells * width + 6 * cells * width + 6 * cells * predicted;
  return 6 * sequence * width + 6 * (thrown > 0 ? retained : sequence) * predicted;
}

/** MAE: blocks of encoder and decoder, indices of both gathers (8 bytes, repeated over channels, as released), the encoder's final norm. */
function maeKept(sizes: Sizes, { width, depth, heads, decoderWidth, decoderDepth, decoderHeads }: z.infer<typeof WithDecoder>): number {
  const [seen, sequence] = [1 + sizes.visible, 1 + sizes.visible + sizes.retained];
  const blocks = depth * keptBlockBytes('torch-mixed', { tokens: seen, width, heads }) + decoderDepth * keptBlockBytes('torch-mixed', { tokens: sequence, width: decoderWidth, heads: decoderHeads });
  const gathers = 8 * sizes.visible * width + 8 * sequence * decoderWidth;
  return blocks + gathers + imageBytes(sizes) + 6 * seen * width + headBytes(sizes, decoderWidth, sequence);
}

/** SimMIM: blocks with layer scale, mask tokens put in over the whole grid, and one table of position biases an image where tokens are thrown. */
function simmimKept(sizes: Sizes, { width, depth, heads }: z.infer<typeof ViT>): number {
  const sequence = 1 + sizes.visible + sizes.retained;
  const blocks = depth * keptBlockBytes('torch-mixed', { tokens: sequence, width, heads, scaled: true });
  const biases = sizes.thrown > 0 ? 4 * heads * sequence ** 2 : 0;
  return blocks + biases + 16 * sizes.cells * width + imageBytes(sizes) + headBytes(sizes, width, sequence);
}

/**
 * The model for a row; undefined for frameworks that it has no closed formula for.
 * @param method configuration of the method
 * @param progressive whether thrown tokens are reconstructed
 */
export function modelledMemory(framework: PaperRow['framework'], method: unknown, objective: Objective, progressive: boolean): ModelledMemory | undefined {
  const batch = BATCH[framework];
  if (batch === undefined) return undefined;
  const { grid, image, sampler } = objective;
  const cells = cellsOf(grid);
  const pixels = image.height * image.width * image.channels;
  const sizes: Sizes = { pixels, cells, predicted: pixels / cells, progressive, ...sampler.counts(grid) };
  const kept = framework === 'MAE' ? maeKept(sizes, WithDecoder.parse(method)) : simmimKept(sizes, ViT.parse(method));
  const trained = Object.values(objective.params()).reduce((sum, { shape, trainable }) => sum + (trainable ? sizeOfShape(shape) : 0), 0);
  return { batch, kept, total: batch * kept + TORCH_PARAMETER_BYTES * trained };
}
