import type { TracedNode } from '../../trace/recording.js';
import { ofType, type Attribute } from '../attributes.js';
import type { GraphBuilder, Ref } from '../graph-builder.js';
import type { GraphType } from '../../tensorflow/data-types.js';

export interface LoweringContext {
  readonly graph: GraphBuilder;
  readonly node: TracedNode;
  /** Inputs, floats among them already in the type that the operation runs in. */
  readonly inputs: readonly Ref[];
  /** Type that the first output has: that of the recording, or bfloat16. */
  readonly type: GraphType;
}

/** Turns one recorded operation into TensorFlow operations; gives one reference for each of its outputs. */
export type Lowering = (context: LoweringContext) => readonly Ref[];

export type LoweringTable = Readonly<Record<string, Lowering>>;

export const T = (type: GraphType, name = 'T'): Readonly<Record<string, Attribute>> => ({ [name]: ofType(type) });

/** One TensorFlow operation with the recorded inputs and the attribute T. */
export const direct =
  (op: string): Lowering =>
  ({ graph, inputs, type }) => [graph.ref(op, type, inputs, T(inputs[0]?.type ?? type))];

export const input = ({ inputs, node }: LoweringContext, index: number): Ref => {
  const ref = inputs[index];
  if (ref === undefined) throw new Error(`${node.kernel} lacks input ${index}`);
  return ref;
};

export const outputShape = ({ node }: LoweringContext, index = 0): readonly number[] => node.outputs[index]?.shape ?? [];

export const inputShape = ({ node }: LoweringContext, index = 0): readonly number[] => node.inputs[index]?.shape ?? [];
