import { ofType } from './attributes.js';
import type { GraphBuilder, Ref } from './graph-builder.js';

/** Attributes of an operation on float32. */
export const float = { T: ofType('float32') };

export const binary = (graph: GraphBuilder, op: string, a: Ref, b: Ref): Ref => graph.ref(op, 'float32', [a, b], float);
export const unary = (graph: GraphBuilder, op: string, x: Ref, control?: readonly string[]): Ref => graph.ref(op, 'float32', [x], float, control);
