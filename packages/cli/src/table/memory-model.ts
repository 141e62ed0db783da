import { cellsOf, sizeOfShape, type Objective } from '@mimlab/core';
import { keptBlockBytes, TORCH_PARAMETER_BYTES } from '@mimlab/nn';
import { z } from 'zod';
import type { PaperRow } from './paper-tables.js';

export type Aggregator = NonNullable<PaperRow['components']['aggregator']>;

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
  /** What makes thrown tokens from the others; undefined where nothing does. */
  readonly aggregator: Aggregator | undefined;
}

/** The image in fp32 and its fp16 copy. */
const imageBytes = ({ pixels }: Sizes): number => 6 * pixels;

/** Over the whole grid: a convolution keeps its input; a block what blocks keep; pooling nothing. */
function aggregationBytes(kind: Aggregator, cells: number, width: number, heads: number): number {
  switch (kind) {
    case 'dwconv':
      return 2 * cells * width;
    case 'avgpool':
      return 0;
    case 'transformer':
      return keptBlockBytes('torch-mixed', { tokens: cells, width, heads });
    case 'convnext':
      // The convolution's input 2, the norm's 4 and its copy 2, the MLP 8 + 8, the scaled branch 4.
      return (2 + 6 + 16 + 4) * cells * width;
  }
}

/** Final norm and head: on the grid where thrown tokens are made from the others; on the retained tokens alone where they are lost. */
function headBytes({ cells, retained, thrown, predicted, aggregator }: Sizes, width: number, heads: number, sequence: number): number {
  if (aggregator !== undefined) return aggregationBytes(aggregator, cells, width, heads) + 6 * cells * width + 6 * cells * predicted;
  return 6 * sequence * width + 6 * (thrown > 0 ? retained : sequence) * predicted;
}

/** MFF besides: five linear maps of visible tokens, and their weighted sum with the last block's output, all in fp16. */
const fusionBytes = ({ visible }: Sizes, { width }: z.infer<typeof ViT>): number => (5 * 2 + 6 * 2) * (1 + visible) * width;

/** MAE: blocks of encoder and decoder, indices of both gathers (8 bytes, repeated over channels, as released), the encoder's final norm. */
function maeKept(sizes: Sizes, { width, depth, heads, decoderWidth, decoderDepth, decoderHeads }: z.infer<typeof WithDecoder>): number {
  const [seen, sequence] = [1 + sizes.visible, 1 + sizes.visible + sizes.retained];
  const blocks = depth * keptBlockBytes('torch-mixed', { tokens: seen, width, heads }) + decoderDepth * keptBlockBytes('torch-mixed', { tokens: sequence, width: decoderWidth, heads: decoderHeads });
  const gathers = 8 * sizes.visible * width + 8 * sequence * decoderWidth;
  return blocks + gathers + imageBytes(sizes) + 6 * seen * width + headBytes(sizes, decoderWidth, decoderHeads, sequence);
}

/** SimMIM: blocks with layer scale, mask tokens put in over the whole grid, and one table of position biases an image where tokens are thrown. */
function simmimKept(sizes: Sizes, { width, depth, heads }: z.infer<typeof ViT>): number {
  const sequence = 1 + sizes.visible + sizes.retained;
  const blocks = depth * keptBlockBytes('torch-mixed', { tokens: sequence, width, heads, scaled: true });
  const biases = sizes.thrown > 0 ? 4 * heads * sequence ** 2 : 0;
  return blocks + biases + 16 * sizes.cells * width + imageBytes(sizes) + headBytes(sizes, width, heads, sequence);
}

interface Model {
  /** Images on one device: those at which the model meets the published ratios best (PR-MIM specification, section 13.2). */
  readonly batch: number;
  /** Bytes that one image keeps. */
  kept(sizes: Sizes, method: unknown): number;
}

const MODELS: Readonly<Partial<Record<PaperRow['framework'], Model>>> = {
  MAE: { batch: 128, kept: (sizes, method) => maeKept(sizes, WithDecoder.parse(method)) },
  MFF: { batch: 128, kept: (sizes, method) => maeKept(sizes, WithDecoder.parse(method)) + fusionBytes(sizes, ViT.parse(method)) },
  SimMIM: { batch: 64, kept: (sizes, method) => simmimKept(sizes, ViT.parse(method)) },
};

/**
 * The model for a row; undefined for frameworks that it has no closed formula for.
 * @param method configuration of the method
 * @param aggregator what makes thrown tokens from the others, if anything does
 */
export function modelledMemory(framework: PaperRow['framework'], method: unknown, objective: Objective, aggregator: Aggregator | undefined): ModelledMemory | undefined {
  const model = MODELS[framework];
  if (model === undefined) return undefined;
  const { grid, image, sampler } = objective;
  const cells = cellsOf(grid);
  const pixels = image.height * image.width * image.channels;
  const kept = model.kept({ pixels, cells, predicted: pixels / cells, aggregator, ...sampler.counts(grid) }, method);
  const trained = Object.values(objective.params()).reduce((sum, { shape, trainable }) => sum + (trainable ? sizeOfShape(shape) : 0), 0);
  return { batch: model.batch, kept, total: model.batch * kept + TORCH_PARAMETER_BYTES * trained };
}
