import type { Optimization } from '../contract.js';
import { ofBool, ofInt, ofShape, ofType, ofTypes } from './attributes.js';
import type { GraphBuilder, Ref } from './graph-builder.js';
import { adamwInPlace, type InPlaceGroup } from './in-place-adamw.js';
import { adamwUpdate, larsUpdate, type RuleRequest } from './rule-graph.js';
import { binary, float, unary } from './float-nodes.js';
import { SCALARS, type UpdateGroups } from './update-rules.js';
import type { VariableNode } from './variables.js';

/** Gradients in order of declaration, float32. `halfSquare`: half its sum of squares, where that is there already. */
export type GradientRefs = ReadonlyMap<string, { readonly gradient: Ref; readonly halfSquare?: Ref }>;

export interface UpdateRequest {
  readonly graph: GraphBuilder;
  readonly phase: 'accumulate' | 'apply';
  readonly optimize: Optimization;
  readonly groups: UpdateGroups;
  /** Averaged over the micro-batches of an update. */
  readonly gradients: GradientRefs;
  readonly gradNorm: Ref;
  readonly loss: Ref;
  /** Nodes that come before every update: whatever reads state. */
  readonly before: readonly string[];
  readonly variable: (name: string) => VariableNode;
  /** Also give the norms of parameters and of their change. */
  readonly norms: boolean;
  /** Update in the native library, right in the memory of the variables. */
  readonly native: boolean;
}

export interface UpdateNodes {
  /** The node that fails where nothing may change; it comes after all reads of state. */
  readonly guard: string;
  readonly scalars?: string;
  readonly targets: readonly string[];
  readonly norms: readonly { readonly name: string; readonly node: string }[];
}

/** TensorFlow's message when the guard stops a run. */
export const GUARD_MESSAGE = 'assertion failed';

/** Root of the sum of squares, from halves of them. */
function norm(graph: GraphBuilder, halfSquares: readonly Ref[]): Ref {
  const sum = halfSquares.length === 0 ? graph.scalar(0) : graph.ref('AddN', 'float32', halfSquares, { ...float, N: ofInt(halfSquares.length) });
  return unary(graph, 'Sqrt', binary(graph, 'Mul', sum, graph.scalar(2)));
}

/**
 * Norm of all gradients: of this micro-batch while accumulating, of the mean gradient at the update; before clipping.
 * @param native the native library may sum what is not summed yet, all at once
 */
export function gradientNorm(graph: GraphBuilder, gradients: GradientRefs, native: boolean): Ref {
  const halfSquares: Ref[] = [];
  const left: Ref[] = [];
  for (const { gradient, halfSquare } of gradients.values()) {
    if (halfSquare !== undefined) halfSquares.push(halfSquare);
    else if (native) left.push(gradient);
    else halfSquares.push(unary(graph, 'L2Loss', gradient));
  }
  if (left.length > 0) halfSquares.push(graph.ref('MimlabHalfSquares', 'float32', left, { N: ofInt(left.length) }));
  return norm(graph, halfSquares);
}

/** Fails the run unless all of `values` are finite. Updates that wait for it do not happen then. */
function guard(graph: GraphBuilder, values: readonly Ref[], before: readonly string[]): string {
  const finite = values.map((value) => graph.ref('IsFinite', 'bool', [value], float));
  const all = finite.reduce((a, b) => graph.ref('LogicalAnd', 'bool', [a, b], {}));
  const attrs = {
    T: ofTypes(values.map(() => 'float32')),
    summarize: ofInt(1),
    // XLA drops assertions from what it compiles: this one stays outside.
    _XlaCompile: ofBool(false),
  };
  return graph.node('Assert', [all, ...values], attrs, before);
}

/** Gradients averaged over the micro-batches of an update, the last one's given. */
export function meanGradients({ graph, optimize: { accumulate = 1 }, gradients, variable }: Pick<UpdateRequest, 'graph' | 'optimize' | 'gradients' | 'variable'>): GradientRefs {
  if (accumulate === 1) return gradients;
  const share = graph.scalar(1 / accumulate);
  return new Map([...gradients].map(([name, { gradient }]) => [name, { gradient: binary(graph, 'Mul', binary(graph, 'AddV2', variable(`grad/${name}`).read(), gradient), share) }]));
}

/** The end of an optimizing step: guard, then either the sums of gradients or the updates in place. */
export function buildUpdates(request: UpdateRequest): UpdateNodes {
  const { graph, phase, gradients, gradNorm, loss, before, variable } = request;
  const guarded = guard(graph, [graph.cast(loss, 'float32'), gradNorm], before);
  if (phase === 'apply') return applyUpdates(request, guarded);
  const targets = [...gradients].map(([name, { gradient }]) => variable(`grad/${name}`).add(gradient, [guarded]));
  return { guard: guarded, targets: [guarded, ...targets], norms: [] };
}

function applyUpdates(request: UpdateRequest, guarded: string): UpdateNodes {
  const { graph, optimize, groups, gradients, gradNorm, variable } = request;
  const length = SCALARS.length * groups.groups.length;
  const fed = graph.ref('Placeholder', 'float32', [], { dtype: ofType('float32'), shape: ofShape([length]) });
  const unpacked = graph.node('Unpack', [fed], { ...float, num: ofInt(length), axis: ofInt(0) });
  const scalar = (group: number, kind: (typeof SCALARS)[number]): Ref => ({
    name: `${unpacked}:${group * SCALARS.length + SCALARS.indexOf(kind)}`,
    type: 'float32',
  });
  // The small number is that of torch.nn.utils.clip_grad_norm_.
  const scale =
    optimize.clipNorm === undefined
      ? undefined
      : binary(graph, 'Minimum', binary(graph, 'RealDiv', graph.scalar(optimize.clipNorm), binary(graph, 'AddV2', gradNorm, graph.scalar(1e-6))), graph.scalar(1));

  const targets: string[] = [guarded];
  const squares: { readonly param: Ref[]; readonly update: Ref[] } = { param: [], update: [] };
  const inPlace = new Map<number, InPlaceGroup>();
  /** What follows an update whose node is `updated`. */
  const settle = (name: string, updated: string): void => {
    targets.push(updated);
    if ((optimize.accumulate ?? 1) === 1) return;
    const sum = variable(`grad/${name}`);
    // After the update: the mean gradient above may still share the memory of the sum until then.
    targets.push(sum.assign(unary(graph, 'ZerosLike', sum.read([updated]))));
  };
  for (const [name, { gradient }] of gradients) {
    const group = groups.groupOf.get(name) as number;
    const { rule, decay } = groups.groups[group] as (typeof groups.groups)[number];
    if (request.native && rule.kind === 'adamw') {
      const known = inPlace.get(group) ?? { rule, params: [], scalar: (kind) => scalar(group, kind) };
      known.params.push({ name, gradient });
      inPlace.set(group, known);
      continue;
    }
    const param = variable(name);
    // In order: what one parameter's update needs besides is made when its turn comes, not for all of them at once.
    const { updated, changeHalfSquare } = graph.inOrder(() => {
      const clipped = scale === undefined ? gradient : graph.ref('Mul', 'float32', [gradient, scale], float, [guarded]);
      const rest: RuleRequest = { graph, variable, name, param, gradient: clipped, guarded, decays: decay !== 0, scalar: (kind) => scalar(group, kind) };
      return rule.kind === 'lars' ? larsUpdate(rest, rule) : adamwUpdate(rest, rule);
    });
    settle(name, updated);
    if (request.norms) {
      squares.param.push(unary(graph, 'L2Loss', param.read([updated])));
      squares.update.push(changeHalfSquare());
    }
  }
  for (const group of inPlace.values()) {
    const { updated, paramHalfSquare, changeHalfSquare } = adamwInPlace({ graph, variable, guarded, scale: scale ?? graph.scalar(1), norms: request.norms }, group);
    for (const { name } of group.params) settle(name, updated);
    squares.param.push(paramHalfSquare);
    squares.update.push(changeHalfSquare);
  }
  const norms = request.norms
    ? [
        { name: 'paramNorm', node: norm(graph, squares.param).name },
        { name: 'updateNorm', node: norm(graph, squares.update).name },
      ]
    : [];
  return { guard: guarded, scalars: fed.name, targets, norms };
}
