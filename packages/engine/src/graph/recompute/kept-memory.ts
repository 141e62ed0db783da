import { sizeOfShape } from '@mimlab/core';
import type { Precision } from '../../contract.js';
import type { GraphType } from '../../tensorflow/data-types.js';
import type { Recording, TracedNode, TracedValue } from '../../trace/recording.js';
import type { Ref } from '../graph-builder.js';
import { nodeTypes } from '../lower-recording.js';
import { makers, memoryOf } from './buffers.js';

/** Memory that is held from the forward to the backward pass. */
export interface KeptMemory {
  /** Bytes of what the forward pass computed and the backward pass reads, by the part that computed it. */
  readonly parts: Readonly<Record<string, number>>;
  /** Bytes of these that were not computed in a block. */
  readonly outsideBlocks: number;
  /** Bytes of inputs, parameters first of all, in bfloat16: made in the forward pass, read in the backward pass. */
  readonly copies: number;
}

const WIDTH: Readonly<Record<string, number>> = { bool: 1, bfloat16: 2 };
const bytes = ({ shape }: TracedValue, type: GraphType): number => sizeOfShape(shape) * (WIDTH[type] ?? 4);

/**
 * Counts what a step keeps, buffer by buffer: reshapes share one, a cast has one of its own. Inputs are not counted,
 * they are there anyway. Nothing is run: the count is exact for the graph that the recording is lowered to.
 */
export function keptMemory(recording: Recording, precision: Precision): KeptMemory {
  const memory = memoryOf(recording);
  const maker = makers(recording);
  const types = new Map<TracedValue, GraphType>();
  const casts = new Map<string, TracedNode['pass']>();
  const kept = new Map<string, { readonly bytes: number; readonly node?: TracedNode }>();
  for (const { value } of Object.values(recording.inputs)) types.set(value, value.dtype);
  const typeOf = (value: TracedValue): GraphType => types.get(value) ?? value.dtype;

  const keep = (value: TracedValue): void => {
    const holder = memory(value);
    const node = maker.get(holder);
    if (node?.pass === 'forward' && node.data === undefined) kept.set(String(holder.id), { bytes: bytes(holder, typeOf(holder)), node });
  };
  const keepCast = (value: TracedValue, key: string, type: GraphType): void => {
    const node = maker.get(value);
    if (node?.data === undefined) kept.set(key, { bytes: bytes(value, type), ...(node === undefined ? {} : { node }) });
  };

  for (const node of recording.nodes) {
    const refs = node.inputs.map((value): Ref => ({ name: String(value.id), type: typeOf(value) }));
    const { type, working, narrowed } = nodeTypes(node, refs, node.data === undefined ? precision : 'fp32');
    const backward = node.pass === 'backward';
    for (const value of node.inputs) {
      const read: GraphType = value.dtype === 'float32' && node.kernel !== 'Cast' ? working : typeOf(value);
      const key = `${value.id}>${read}`;
      if (read === typeOf(value)) {
        if (backward) keep(value);
        continue;
      }
      // The first to ask for a cast makes it, for all who ask later.
      if (!casts.has(key)) {
        casts.set(key, node.pass);
        if (backward) keep(value);
      }
      if (backward && casts.get(key) === 'forward') keepCast(value, key, read);
    }
    for (const output of node.outputs) types.set(output, output.dtype !== 'float32' ? output.dtype : narrowed ? 'bfloat16' : type);
  }

  const parts: Record<string, number> = {};
  let [copies, outsideBlocks] = [0, 0];
  for (const { bytes: size, node } of kept.values()) {
    if (node === undefined) {
      copies += size;
      continue;
    }
    parts[node.part] = (parts[node.part] ?? 0) + size;
    if (node.block === undefined) outsideBlocks += size;
  }
  return { parts, outsideBlocks, copies };
}
