import type { GraphBuilder, Ref } from './graph-builder.js';
import { ofShape, ofString, ofType } from './attributes.js';

const FLOAT = { dtype: ofType('float32') };

/** A float32 variable of the session, as one graph refers to it. Handles of one shared name mean the same variable. */
export interface VariableNode {
  readonly handle: Ref;
  /** Axes of its shape. */
  readonly rank: number;
  /** A read that waits for `control`. Shares the variable's memory until an update comes. */
  read(control?: readonly string[]): Ref;
  assign(value: Ref, control?: readonly string[]): string;
  /** In place; gives the node's name. */
  subtract(value: Ref, control?: readonly string[]): string;
  add(value: Ref, control?: readonly string[]): string;
}

export function variableNode(graph: GraphBuilder, sharedName: string, shape: readonly number[]): VariableNode {
  const attrs = { ...FLOAT, shape: ofShape(shape), shared_name: ofString(sharedName), container: ofString('') };
  const handle = graph.ref('VarHandleOp', 'resource', [], attrs);
  return {
    handle,
    rank: shape.length,
    read: (control) => graph.ref('ReadVariableOp', 'float32', [handle], FLOAT, control),
    assign: (value, control) => graph.node('AssignVariableOp', [handle, value], FLOAT, control),
    subtract: (value, control) => graph.node('AssignSubVariableOp', [handle, value], FLOAT, control),
    add: (value, control) => graph.node('AssignAddVariableOp', [handle, value], FLOAT, control),
  };
}
