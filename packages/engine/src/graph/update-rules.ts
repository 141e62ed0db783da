import type { ParamUpdate, RunOptions, StepDefinition } from '../contract.js';

/** Parameters that share rule, decay and scale are updated with the same scalars. */
export interface UpdateGroups {
  /** Index of the group of each parameter. */
  readonly groupOf: ReadonlyMap<string, number>;
  readonly groups: readonly ParamUpdate[];
}

/** Scalars of a group, in the order in which they are fed. LARS takes its rate as `alpha` and the decay as it is, and no `epsilon`. */
export const SCALARS = ['alpha', 'epsilon', 'decay'] as const;

export function updateGroups({ optimize }: StepDefinition): UpdateGroups {
  const groupOf = new Map<string, number>();
  const groups: ParamUpdate[] = [];
  const known = new Map<string, number>();
  for (const [name, update] of Object.entries(optimize?.updates ?? {})) {
    const key = [...Object.values(update.rule), update.decay, update.lrScale].join();
    const group = known.get(key) ?? groups.push(update) - 1;
    known.set(key, group);
    groupOf.set(name, group);
  }
  return { groupOf, groups };
}

/**
 * Scalars of every group for one update, computed here in double precision. With m and v the running means,
 * lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps) = alpha m / (sqrt(v) + epsilon)
 * for alpha = lr sqrt(1-b2^t)/(1-b1^t) and epsilon = eps sqrt(1-b2^t).
 */
export function updateScalars({ groups }: UpdateGroups, { lr = 0, update = 1 }: RunOptions): Float32Array {
  const scalars = groups.flatMap(({ rule, decay, lrScale }) => {
    if (rule.kind === 'lars') return [lr * lrScale, 0, decay];
    // The device averages with the betas as float32 has them: corrected with those, the first update is exact.
    const root = Math.sqrt(1 - Math.fround(rule.beta2) ** update);
    const rate = lr * lrScale;
    return [(rate * root) / (1 - Math.fround(rule.beta1) ** update), rule.eps * root, rate * decay];
  });
  return Float32Array.from(scalars);
}
