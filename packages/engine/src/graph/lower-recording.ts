import { EngineError } from '@mimlab/core';
import type { Precision } from '../contract.js';
import type { GraphType } from '../tensorflow/data-types.js';
import type { Recording, TracedNode, TracedValue } from '../trace/recording.js';
import type { GraphBuilder, Ref } from './graph-builder.js';
import { LOWERING } from './lowering/index.js';
import { bf16Type, returnsBf16 } from './precision.js';

export interface LowerOptions {
  readonly precision: Precision;
  /** Where an input comes from. A uint8 reference is cast here. */
  readonly bind: (name: string) => Ref;
  /** Called as soon as a value is there, so that what depends on it can stand right behind it. */
  readonly onValue?: (value: TracedValue, ref: Ref) => void;
}

/** Adds the operations of a recording to a graph. Gives the outputs by name, floats as float32. */
export function lowerRecording(graph: GraphBuilder, recording: Recording, options: LowerOptions): Record<string, Ref> {
  const refs = new Map<TracedValue, Ref>();
  const set = (value: TracedValue, ref: Ref): void => {
    refs.set(value, ref);
    options.onValue?.(value, ref);
  };
  for (const [name, { value }] of Object.entries(recording.inputs)) set(value, options.bind(name));
  const get = (value: TracedValue): Ref => {
    const ref = refs.get(value);
    if (ref === undefined) throw new EngineError('a value is used before it is made', { place: 'graph' });
    return ref;
  };

  for (const node of recording.nodes) {
    const [output] = node.outputs;
    if (node.data !== undefined && output !== undefined) {
      set(output, graph.constant(node.data, output.shape, output.dtype));
      continue;
    }
    const lowering = LOWERING[node.kernel];
    if (lowering === undefined) throw new EngineError('this operation cannot be compiled', { place: node.kernel });
    const lower = (): readonly Ref[] => lowerNode(graph, node, node.inputs.map(get), options.precision);
    (node.repeated === true ? graph.inOrder(lower) : lower()).forEach((ref, index) => set(node.outputs[index] as TracedValue, ref));
  }
  return Object.fromEntries(Object.entries(recording.outputs).map(([name, value]) => [name, graph.cast(get(value), value.dtype)]));
}

function lowerNode(graph: GraphBuilder, node: TracedNode, inputs: readonly Ref[], precision: Precision): readonly Ref[] {
  const lowering = LOWERING[node.kernel] as NonNullable<(typeof LOWERING)[string]>;
  const { type, working, narrowed } = nodeTypes(node, inputs, precision);
  const ready = inputs.map((ref, index) => {
    if (ref.type === 'uint8') return node.kernel === 'Cast' ? ref : graph.cast(ref, 'int32');
    return node.inputs[index]?.dtype === 'float32' && node.kernel !== 'Cast' ? graph.cast(ref, working) : ref;
  });
  const outputs = lowering({ graph, node, inputs: ready, type });
  return narrowed ? outputs.map((ref) => graph.cast(ref, 'bfloat16')) : outputs;
}

export interface NodeTypes {
  /** Type of the first output as the operation gives it. */
  readonly type: GraphType;
  /** Type of its float inputs; casts take theirs as they are. */
  readonly working: 'float32' | 'bfloat16';
  /** Results are cast to bfloat16 afterwards. */
  readonly narrowed: boolean;
}

/** In which types an operation runs under a precision. */
export function nodeTypes(node: TracedNode, inputs: readonly Ref[], precision: Precision): NodeTypes {
  const declared = node.outputs[0]?.dtype ?? 'float32';
  // Comparisons and casts give another type than they work on: only float arithmetic has a choice.
  const type: GraphType = declared === 'float32' && precision === 'bf16' && node.kernel !== 'Cast' ? bf16Type(node, inputs) : declared;
  return { type, working: type === 'bfloat16' ? 'bfloat16' : 'float32', narrowed: precision === 'bf16' && returnsBf16(node, inputs) };
}
