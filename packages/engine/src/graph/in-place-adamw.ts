import type { AdamwRule } from '../contract.js';
import { optimizerState } from '../optimizer-state.js';
import { ofBool, ofFloat, ofInt } from './attributes.js';
import type { GraphBuilder, Ref } from './graph-builder.js';
import type { SCALARS } from './update-rules.js';
import type { VariableNode } from './variables.js';

/** Parameters that are updated with the same scalars. */
export interface InPlaceGroup {
  readonly rule: AdamwRule;
  /** Each with its mean gradient before clipping. */
  readonly params: { readonly name: string; readonly gradient: Ref }[];
  readonly scalar: (kind: (typeof SCALARS)[number]) => Ref;
}

export interface InPlaceRequest {
  readonly graph: GraphBuilder;
  readonly variable: (name: string) => VariableNode;
  readonly guarded: string;
  /** Gradients are multiplied by it. */
  readonly scale: Ref;
  /** Also sum the squares. */
  readonly norms: boolean;
}

/**
 * AdamW of all parameters of a group as one operation of the native library: one pass over parameter, means and gradient.
 *
 * It writes into the memory that a variable shares with what is read from it, where TensorFlow's own updates would make a
 * copy for readers still to come. So all that may read a variable has to come before `guarded`, and nothing that outlives
 * this moment may share its memory: neither outputs nor other variables (`copied` in step-graph.ts).
 * @returns half the sums of squares of the new parameters and of their change, zero unless asked for
 */
export function adamwInPlace({ graph, variable, guarded, scale, norms }: InPlaceRequest, { rule, params, scalar }: InPlaceGroup): { readonly updated: string; readonly paramHalfSquare: Ref; readonly changeHalfSquare: Ref } {
  const read = (name: string): Ref => variable(name).read();
  const slots = params.map(({ name }) => optimizerState(rule, name) as [string, string]);
  const inputs = [
    ...params.map(({ name }) => read(name)), ...slots.map(([m]) => read(m)), ...slots.map(([, v]) => read(v)), ...params.map(({ gradient }) => gradient),
    ...params.slice(0, 1).map(({ name }) => read(name)), scalar('alpha'), scalar('epsilon'), scalar('decay'), scale,
  ]; // prettier-ignore
  const attrs = { N: ofInt(params.length), beta1: ofFloat(rule.beta1), beta2: ofFloat(rule.beta2), norms: ofBool(norms) };
  const updated = graph.node('MimlabAdamw', inputs, attrs, [guarded]);
  return { updated, paramHalfSquare: { name: updated, type: 'float32' }, changeHalfSquare: { name: `${updated}:1`, type: 'float32' } };
}
