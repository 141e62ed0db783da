import type { AdamwRule, LarsRule } from '../contract.js';
import { optimizerState } from '../optimizer-state.js';
import { ofBool } from './attributes.js';
import { binary, float, unary } from './float-nodes.js';
import type { GraphBuilder, Ref } from './graph-builder.js';
import type { SCALARS } from './update-rules.js';
import type { VariableNode } from './variables.js';

/** One parameter that is to be updated. */
export interface RuleRequest {
  readonly graph: GraphBuilder;
  readonly variable: (name: string) => VariableNode;
  readonly name: string;
  readonly param: VariableNode;
  /** Averaged and clipped. */
  readonly gradient: Ref;
  /** Everything that changes state waits for it. */
  readonly guarded: string;
  readonly decays: boolean;
  /** Scalars of the parameter's group. */
  readonly scalar: (kind: (typeof SCALARS)[number]) => Ref;
}

export interface RuleNodes {
  /** Node behind which the parameter has its new value. */
  readonly updated: string;
  /** Half the squared norm of the parameter's change. */
  changeHalfSquare(): Ref;
}

/** AdamW in place. */
export function adamwUpdate({ graph, variable, name, param, gradient, guarded, decays, scalar }: RuleRequest, rule: AdamwRule): RuleNodes {
  const [m, v] = optimizerState(rule, name).map(variable) as [VariableNode, VariableNode];
  const before = [guarded];
  if (decays) before.push(param.subtract(binary(graph, 'Mul', param.read([guarded]), scalar('decay'))));
  const inputs = [
    param.handle, m.handle, v.handle,
    // Powers of the betas are given as 0: `alpha` has the bias correction in it already.
    graph.scalar(0), graph.scalar(0), scalar('alpha'), graph.scalar(rule.beta1), graph.scalar(rule.beta2), scalar('epsilon'),
    gradient,
  ]; // prettier-ignore
  const updated = graph.node('ResourceApplyAdam', inputs, { ...float, use_locking: ofBool(false), use_nesterov: ofBool(false) }, before);
  return {
    updated,
    // From what is there after the update: p' = p (1 - d) - u with u = alpha m' / (sqrt(v') + epsilon), so
    // p - p' = (d p' + u) / (1 - d). Nothing of before need be kept.
    changeHalfSquare() {
      const root = binary(graph, 'AddV2', unary(graph, 'Sqrt', v.read([updated])), scalar('epsilon'));
      const u = binary(graph, 'RealDiv', binary(graph, 'Mul', m.read([updated]), scalar('alpha')), root);
      const d = scalar('decay');
      const change = binary(graph, 'AddV2', binary(graph, 'Mul', param.read([updated]), d), u);
      return unary(graph, 'L2Loss', binary(graph, 'RealDiv', change, binary(graph, 'Sub', graph.scalar(1), d)));
    },
  };
}

/** LARS in place; see `LarsRule`. */
export function larsUpdate(request: RuleRequest, rule: LarsRule): RuleNodes {
  const { graph, variable, name, param, gradient, guarded, scalar } = request;
  const mu = variable(optimizerState(rule, name)[0] as string);
  const step = param.rank > 1 ? trusted(request, rule) : gradient;
  const moved = mu.assign(binary(graph, 'AddV2', binary(graph, 'Mul', mu.read([guarded]), graph.scalar(rule.momentum)), step), [guarded]);
  const change = (control: readonly string[]): Ref => binary(graph, 'Mul', mu.read(control), scalar('alpha'));
  const updated = param.subtract(change([moved]), [guarded]);
  return { updated, changeHalfSquare: () => unary(graph, 'L2Loss', change([updated])) };
}

/** Gradient plus decay, scaled by trust |p| / |u|; as it is where either norm is 0. */
function trusted({ graph, param, gradient, guarded, scalar }: RuleRequest, { trust }: LarsRule): Ref {
  const value = param.read([guarded]);
  const decayed = binary(graph, 'AddV2', gradient, binary(graph, 'Mul', value, scalar('decay')));
  const norm = (x: Ref): Ref => unary(graph, 'Sqrt', binary(graph, 'Mul', unary(graph, 'L2Loss', x), graph.scalar(2)));
  const [paramNorm, stepNorm] = [norm(value), norm(decayed)];
  const positive = (x: Ref): Ref => graph.ref('Greater', 'bool', [x, graph.scalar(0)], float);
  const both = graph.ref('LogicalAnd', 'bool', [positive(paramNorm), positive(stepNorm)], {});
  const ratio = binary(graph, 'RealDiv', binary(graph, 'Mul', paramNorm, graph.scalar(trust)), stepNorm);
  return binary(graph, 'Mul', decayed, graph.ref('SelectV2', 'float32', [both, ratio, graph.scalar(1)], float));
}
