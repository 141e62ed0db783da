import type { Recompute } from '../../contract.js';
import { ELEMENTWISE } from '../../trace/kernels/elementwise.js';
import { MOVEMENT } from '../../trace/kernels/movement.js';
import type { Recording, TracedNode, TracedValue } from '../../trace/recording.js';
import { bytesOf, makers, memoryOf } from './buffers.js';
import { createFlowNetwork } from './minimum-cut.js';

/** One pass over memory at most: elementwise arithmetic, copies, and chains of them that the native library fuses. */
const CHEAP: ReadonlySet<string> = new Set([...Object.keys(ELEMENTWISE), ...Object.keys(MOVEMENT), 'MimGelu', 'MimLayerNorm']);

/** What the backward pass reads of the forward pass, and what it may compute again. */
interface Passes {
  readonly recording: Recording;
  readonly memory: (value: TracedValue) => TracedValue;
  readonly maker: ReadonlyMap<TracedValue, TracedNode>;
  /** Whether a value comes from an operation of the forward pass, neither given nor constant. */
  readonly computed: (value: TracedValue) => boolean;
  readonly repeatable: (node: TracedNode) => boolean;
}

/**
 * The same function with less kept from the forward to the backward pass: what the backward pass reads is computed a
 * second time there, right before its first use, from values that are kept. Of all choices it takes the one that keeps
 * the fewest bytes, and among those the one that repeats least; results do not change by a bit.
 *
 * `cheap` repeats elementwise operations and copies. `blocks` repeats everything inside blocks (core's `asBlock`) too, whose
 * results are then kept at their borders only.
 * Source: the choice as a minimum cut is that of PyTorch's partitioner; repeating blocks is Chen et al. 2016 (arXiv:1604.06174).
 */
export function recomputeForward(recording: Recording, recompute: Recompute): Recording {
  if (recompute === 'none') return recording;
  const memory = memoryOf(recording);
  const maker = makers(recording);
  const computed = (value: TracedValue): boolean => {
    const node = maker.get(value);
    return node?.pass === 'forward' && node.data === undefined;
  };
  const leaving = recompute === 'blocks' ? leavingBlocks(recording, maker) : new Set<TracedValue>();
  const repeatable = (node: TracedNode): boolean => {
    // What leaves a block is where its second computation starts from: that may not reach back through the block itself.
    if (recompute === 'blocks' && node.block !== undefined) return !node.outputs.some((value) => leaving.has(value));
    return CHEAP.has(node.kernel);
  };
  const passes: Passes = { recording, memory, maker, computed, repeatable };
  return repeatInBackward(passes, cheapestToKeep(passes));
}

/** Values of blocks that the forward pass reads outside them. */
function leavingBlocks({ nodes }: Recording, maker: Passes['maker']): ReadonlySet<TracedValue> {
  const leaving = new Set<TracedValue>();
  for (const { pass, inputs, block } of nodes) {
    if (pass === 'backward') continue;
    for (const value of inputs) if (maker.get(value)?.block !== block) leaving.add(value);
  }
  return leaving;
}

/**
 * Values to keep, each standing for the memory it lies in. Every value is an edge as wide as its bytes; keeping it cuts
 * the edge. What must not be repeated hangs on the source, what the backward pass reads on the sink.
 */
function cheapestToKeep({ recording, memory, computed, repeatable }: Passes): ReadonlySet<TracedValue> {
  const network = createFlowNetwork();
  const [source, sink] = [network.vertex(), network.vertex()];
  const ends = new Map<TracedValue, readonly [into: number, outOf: number]>();
  const endsOf = (value: TracedValue): readonly [number, number] => {
    const known = ends.get(value);
    if (known !== undefined) return known;
    const made = [network.vertex(), network.vertex()] as const;
    network.edge(...made, bytesOf(value));
    ends.set(value, made);
    return made;
  };

  for (const node of recording.nodes) {
    if (node.data !== undefined) continue;
    const read = node.inputs.map(memory).filter(computed);
    if (node.pass === 'backward') {
      for (const value of read) network.edge(endsOf(value)[1], sink, Infinity);
      continue;
    }
    for (const value of node.outputs.filter((output) => memory(output) === output)) {
      const [into] = endsOf(value);
      if (repeatable(node)) for (const input of read) network.edge(endsOf(input)[1], into, Infinity);
      else network.edge(source, into, Infinity);
    }
  }
  const reachesSink = network.sideOfSink(source, sink);
  return new Set([...ends].flatMap(([value, [into, outOf]]) => (!reachesSink.has(into) && reachesSink.has(outOf) ? [value] : [])));
}

function repeatInBackward({ recording, memory, maker, computed }: Passes, kept: ReadonlySet<TracedValue>): Recording {
  const nodes: TracedNode[] = [];
  const copies = new Map<TracedValue, TracedValue>();
  let ids = 1 + Math.max(0, ...recording.nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  /** The value itself where it is at hand in the backward pass, else its copy, made now if it is not there. */
  const atHand = (value: TracedValue): TracedValue => {
    if (!computed(memory(value)) || kept.has(memory(value))) return value;
    const copy = copies.get(value);
    if (copy !== undefined) return copy;
    const node = maker.get(value) as TracedNode;
    const inputs = node.inputs.map(atHand);
    const outputs = node.outputs.map((output): TracedValue => ({ ...output, id: ids++ }));
    nodes.push({ ...node, inputs, outputs, pass: 'backward', repeated: true });
    node.outputs.forEach((output, place) => copies.set(output, outputs[place] as TracedValue));
    return outputs[node.outputs.indexOf(value)] as TracedValue;
  };
  for (const node of recording.nodes) {
    // Forward operations keep their inputs; those of the backward pass may first push what they need.
    const ready = node.pass === 'backward' ? { ...node, inputs: node.inputs.map(atHand) } : node;
    nodes.push(ready);
  }
  return { ...recording, nodes };
}
