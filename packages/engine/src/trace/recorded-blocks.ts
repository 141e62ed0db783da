import { sizeOfShape } from '@mimlab/core';
import type { Recording, TracedNode } from './recording.js';

/** A block (core's `asBlock`) as it was recorded, for the whole batch. */
export interface RecordedBlock {
  readonly part: string;
  /** Tokens, of all images together. */
  readonly tokens: number;
  readonly width: number;
  /** Attention probabilities, of all heads and images together. */
  readonly pairs: number;
  /** Its residual branches are multiplied by learned scales. */
  readonly scaled: boolean;
}

/** The blocks of an unfused recording's forward pass that the backward pass goes through; not those of a frozen network, say. */
export function recordedBlocks({ nodes, inputs }: Recording): RecordedBlock[] {
  const blocks = new Map<number, TracedNode[]>();
  const given = new Set(Object.values(inputs).map(({ value }) => value));
  const differentiated = new Set(nodes.flatMap(({ pass, inputs }) => (pass === 'backward' ? inputs : [])));
  for (const node of nodes) {
    if (node.block === undefined || node.pass === 'backward') continue;
    blocks.set(node.block, [...(blocks.get(node.block) ?? []), node]);
  }
  return [...blocks.values()]
    .filter((block) => block.some(({ outputs }) => outputs.some((value) => differentiated.has(value))))
    .map((block) => {
      // The last operation of a block adds its last branch to what goes past it.
      const last = block.at(-1) as TracedNode;
      const size = last.outputs[0]?.shape ?? [];
      const width = size.at(-1) ?? 0;
      const byVector = block.filter(({ kernel, inputs: read }) => kernel === 'Multiply' && read.some((value) => given.has(value) && value.shape.join() === String(width)));
      const softmax = block.filter(({ kernel }) => kernel === 'Softmax');
      return {
        part: last.part,
        tokens: sizeOfShape(size) / width,
        width,
        pairs: softmax.reduce((sum, { outputs }) => sum + sizeOfShape(outputs[0]?.shape ?? []), 0),
        // Its two norms multiply by their gains; whatever multiplies besides is a scale.
        scaled: byVector.length > 2,
      };
    });
}
