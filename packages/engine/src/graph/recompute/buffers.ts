import { sizeOfShape } from '@mimlab/core';
import type { Recording, TracedNode, TracedValue } from '../../trace/recording.js';

/** Whether the result lies in the memory of the first input, as TensorFlow has it: other shapes, and slices of whole leading rows. */
function sharesMemory({ kernel, inputs, outputs, attrs }: TracedNode): boolean {
  if (kernel === 'Reshape') return true;
  if (kernel !== 'Slice') return false;
  const from = inputs[0]?.shape ?? [];
  return (outputs[0]?.shape ?? []).every((side, axis) => axis === 0 || (side === from[axis] && (attrs['begin'] as readonly number[])[axis] === 0));
}

/** The value in whose memory a value lies; most lie in their own. */
export function memoryOf(recording: Recording): (value: TracedValue) => TracedValue {
  const owner = new Map<TracedValue, TracedValue>();
  const find = (value: TracedValue): TracedValue => owner.get(value) ?? value;
  for (const node of recording.nodes) {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (input !== undefined && output !== undefined && sharesMemory(node)) owner.set(output, find(input));
  }
  return find;
}

/** Bytes of a value in full precision. */
export const bytesOf = ({ shape, dtype }: TracedValue): number => sizeOfShape(shape) * (dtype === 'bool' ? 1 : 4);

/** Node that makes each value. Inputs have none. */
export function makers(recording: Recording): ReadonlyMap<TracedValue, TracedNode> {
  return new Map(recording.nodes.flatMap((node) => node.outputs.map((value): [TracedValue, TracedNode] => [value, node])));
}
