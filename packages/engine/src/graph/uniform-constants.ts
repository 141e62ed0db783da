import { sizeOfShape } from '@mimlab/core';
import { BINARY, broadcast } from '../trace/kernels/elementwise.js';
import { sameShape } from '../trace/kernels/kernel-spec.js';
import type { TracedNode, TracedValue } from '../trace/recording.js';

/** Up to so many equal elements are shipped as they are. */
const SHORTEST_FILL = 64;

const BROADCASTING: ReadonlySet<string> = new Set(BINARY);

/** The same constant without its bytes, where all its elements are equal and there are many. */
export function asFill(node: TracedNode): TracedNode {
  const { data, ...rest } = node;
  if (data === undefined || data.length <= SHORTEST_FILL || !data.every((element) => element === data[0])) return node;
  return { ...rest, kernel: 'Fill', attrs: { value: data[0] as number } };
}

/** Does without tensors of ones, by which tfjs' gradients of sums and means multiply only to get a larger shape. */
export interface Expansions {
  /** A value that the node's result equals, shape and all. */
  same(node: TracedNode): TracedValue | undefined;
  /** The node reading what was expanded as it was before, where its result keeps its shape. */
  unexpanded(node: TracedNode): TracedNode;
  /**
   * Takes note of a node. If it works on expanded values alone, gives the node that does the same before the expansion;
   * whoever still wants the large result reads the node itself.
   */
  note(node: TracedNode, freshId: () => number): TracedNode | undefined;
}

export function createExpansions(): Expansions {
  const ones = new Set<TracedValue>();
  /** What a larger value is, but for its shape. */
  const small = new Map<TracedValue, TracedValue>();

  const timesOne = (node: TracedNode): TracedValue | undefined => {
    if (node.kernel !== 'Multiply' || node.outputs[0]?.dtype !== 'float32') return undefined;
    const place = node.inputs.findIndex((value) => ones.has(value));
    return place < 0 ? undefined : node.inputs[1 - place];
  };

  return {
    same(node) {
      const value = timesOne(node);
      return value !== undefined && sameShape(value.shape, node.outputs[0]?.shape ?? []) ? value : undefined;
    },
    unexpanded(node) {
      const [output] = node.outputs;
      if (!BROADCASTING.has(node.kernel) || output === undefined) return node;
      const full = node.inputs.some((value) => !small.has(value) && sameShape(value.shape, output.shape));
      return full ? { ...node, inputs: node.inputs.map((value) => small.get(value) ?? value) } : node;
    },
    note(node, freshId) {
      const [output] = node.outputs;
      if (output === undefined) return undefined;
      if (node.kernel === 'Fill' && node.attrs['value'] === 1 && output.dtype === 'float32') ones.add(output);
      const value = timesOne(node);
      if (value !== undefined) {
        small.set(output, value);
        return undefined;
      }
      if (!BROADCASTING.has(node.kernel) || !node.inputs.some((input) => small.has(input))) return undefined;
      const inputs = node.inputs.map((input) => small.get(input) ?? input);
      const shape = inputs.map((input) => input.shape).reduce((a, b) => broadcast(a, b));
      if (sizeOfShape(shape) === sizeOfShape(output.shape)) return undefined;
      const result: TracedValue = { id: freshId(), shape, dtype: output.dtype };
      small.set(output, result);
      return { ...node, inputs, outputs: [result] };
    },
  };
}
