import { MimlabError } from '@mimlab/core';

/** Gradients by the name of their parameter. */
export type Gradients = Readonly<Record<string, Float32Array>>;

/** Names of parameters by group. Groups may overlap. */
export type ParameterGroups = Readonly<Record<string, readonly string[]>>;

export const QUANTITIES = ['cosine', 'relativeError', 'scaleFreeError', 'bias', 'spread'] as const;

/**
 * How far gradients g_1 .. g_R of one method lie from the gradient f of full reconstruction, on one batch (PR-MIM
 * specification, section 7). The first three are means over the R plans.
 */
export interface Deviation {
  /** <g, f> / (|g| |f|). */
  readonly cosine: number;
  /** |g - f| / |f|. */
  readonly relativeError: number;
  /** Relative error behind the best scaling of g, sqrt(1 - cosine^2). */
  readonly scaleFreeError: number;
  /** Relative error of the mean of the g_r: what more plans would not average away. */
  readonly bias: number;
  /** sqrt(mean |g_r - mean g|^2) / |f|: what the choice of the plan alone moves. */
  readonly spread: number;
}

export interface GradientComparison {
  /** Takes the gradient of one more plan. Its arrays are not kept. */
  add(gradients: Gradients): void;
  /** By group; of all plans added so far, at least one. */
  deviations(): Record<string, Deviation>;
}

/** Sums over one parameter for one plan. */
interface PlanSums {
  readonly inner: number;
  readonly squares: number;
  readonly difference: number;
}

/**
 * Compares gradients with that of full reconstruction, plan after plan: of all plans together only the mean of their
 * differences is kept, 8 bytes a value.
 * @throws MimlabError if the full gradient of a group is zero, or a parameter has no gradient.
 */
export function compareGradients(full: Gradients, groups: ParameterGroups): GradientComparison {
  const names = [...new Set(Object.values(groups).flat())];
  const fullSquares = new Map(names.map((name) => [name, squaredNorm(gradientOf(full, name))]));
  for (const [group, members] of Object.entries(groups)) {
    if (sum(members, (name) => fullSquares.get(name)) > 0) continue;
    throw new MimlabError('the gradient of full reconstruction is zero there, so nothing can be compared with it', { place: `group '${group}'` });
  }
  const differences = new Map(names.map((name) => [name, new Float64Array(gradientOf(full, name).length)]));
  const plans: Map<string, PlanSums>[] = [];

  return {
    add(gradients) {
      plans.push(new Map(names.map((name) => [name, addPlan(gradientOf(gradients, name), gradientOf(full, name), differences.get(name) as Float64Array)])));
    },
    deviations() {
      const count = plans.length;
      const meanSquares = new Map(names.map((name) => [name, squaredNorm(differences.get(name) as Float64Array) / count ** 2]));
      return Object.fromEntries(
        Object.entries(groups).map(([group, members]) => {
          const full = sum(members, (name) => fullSquares.get(name));
          const mean = sum(members, (name) => meanSquares.get(name));
          const each = plans.map((plan) => planDeviation(members, plan, full));
          const differ = average(plans.map((plan) => sum(members, (name) => plan.get(name)?.difference)));
          const deviation: Deviation = {
            cosine: average(each.map(({ cosine }) => cosine)),
            relativeError: average(each.map(({ relativeError }) => relativeError)),
            scaleFreeError: average(each.map(({ cosine }) => Math.sqrt(Math.max(0, 1 - cosine ** 2)))),
            bias: Math.sqrt(mean / full),
            // The mean square around a mean, by differences to f: they are smaller than the gradients themselves.
            spread: Math.sqrt(Math.max(0, differ - mean) / full),
          };
          return [group, deviation];
        }),
      );
    },
  };
}

function planDeviation(members: readonly string[], plan: ReadonlyMap<string, PlanSums>, full: number): Pick<Deviation, 'cosine' | 'relativeError'> {
  const inner = sum(members, (name) => plan.get(name)?.inner);
  const squares = sum(members, (name) => plan.get(name)?.squares);
  const difference = sum(members, (name) => plan.get(name)?.difference);
  return { cosine: squares === 0 ? 0 : inner / Math.sqrt(squares * full), relativeError: Math.sqrt(difference / full) };
}

/** Adds g - f to `differences` on the way. */
function addPlan(gradient: Float32Array, full: Float32Array, differences: Float64Array): PlanSums {
  let [inner, squares, difference] = [0, 0, 0];
  for (let at = 0; at < full.length; at++) {
    const g = gradient[at] as number;
    const f = full[at] as number;
    inner += g * f;
    squares += g * g;
    difference += (g - f) ** 2;
    differences[at] = (differences[at] as number) + g - f;
  }
  return { inner, squares, difference };
}

function gradientOf(gradients: Gradients, name: string): Float32Array {
  const gradient = gradients[name];
  if (gradient === undefined) throw new MimlabError('there is no gradient of this parameter', { place: name });
  return gradient;
}

function squaredNorm(values: Float32Array | Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return squares;
}

const sum = (names: readonly string[], of: (name: string) => number | undefined): number => names.reduce((total, name) => total + (of(name) ?? 0), 0);
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
