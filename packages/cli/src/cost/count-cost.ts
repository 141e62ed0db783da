import {
  composeRun,
  createObjective,
  EngineError,
  examplePlan,
  objectiveBatch,
  stepInputSpecs,
  totalMacs,
  type Composition,
  type Configured,
  type MacParts,
  type MethodPlugin,
  type NamedTensors,
  type Objective,
  type TensorSpec,
  type TokenPlan,
} from '@mimlab/core';
import { countMacs, traceFunction } from '@mimlab/engine';
import { neutralStatistics } from './neutral-statistics.js';

/** `paper`: as the paper's tables count, all patches embedded and every decoder token predicted; `executed`: the graph that trains. */
export const COUNTS = ['paper', 'executed'] as const;
export type Count = (typeof COUNTS)[number];

/** Forward multiply-accumulates of one image. */
export interface Cost {
  readonly count: Count;
  readonly total: number;
  readonly parts: MacParts;
  /** The same method without its wrappers. */
  readonly unwrapped: { readonly total: number; readonly parts: MacParts };
  readonly ratio: number;
}

/** The same composition without its wrappers. */
export const withoutWrappers = (composition: Composition): Composition => ({ ...composition, wrap: [] });

/** The method with the settings under which it costs what its paper counts. */
function asPublished({ plugin, config }: Configured<MethodPlugin>): Configured<MethodPlugin> {
  if (plugin.paperCount === undefined) return { plugin, config };
  return { plugin, config: plugin.configSchema.parse({ ...(config as object), ...(plugin.paperCount as object) }) };
}

function objectiveFor(composition: Composition, count: Count): Objective {
  if (count === 'executed') return createObjective(composeRun(composition));
  const hooks = Object.fromEntries(Object.entries(composition.hooks ?? {}).map(([name, hook]) => [name, asPublished(hook)]));
  const published = { ...composition, method: asPublished(composition.method), hooks };
  return createObjective(composeRun(published), { predictTokens: 'sequence' });
}

const PARAM = 'param.';

/** Costs read off the recorded graph of one image. Nothing is computed: large models take no longer than small ones. */
export function tracedMacs(objective: Objective, plan: TokenPlan = examplePlan(objective)): MacParts {
  const params = Object.entries(objective.params()).map(([name, { shape }]): [string, TensorSpec] => [PARAM + name, { shape, dtype: 'float32' }]);
  const statistics = neutralStatistics(objective.image.channels);
  const recording = traceFunction(
    (inputs: NamedTensors) => {
      const values = Object.fromEntries(params.map(([name]) => [name.slice(PARAM.length), inputs[name] as NamedTensors[string]]));
      return { loss: objective.evaluate(objectiveBatch(inputs, objective, statistics), values, false).loss };
    },
    { ...stepInputSpecs(objective, 1, plan), ...Object.fromEntries(params) },
  );
  return countMacs(recording);
}

/** Parts whose formula and graph disagree, as lines. */
export function disagreements(formula: MacParts, traced: MacParts): string[] {
  const names = [...new Set([...Object.keys(formula), ...Object.keys(traced)])].sort();
  return names
    .filter((name) => Math.round(formula[name] ?? 0) !== Math.round(traced[name] ?? 0))
    .map((name) => `${name === '' ? '(outside any part)' : name}: ${formula[name] ?? 0} by formula, ${traced[name] ?? 0} in the graph`);
}

function agreedMacs(objective: Objective, what: string): MacParts {
  // Where the cost hangs on the mask, formula and graph are compared for one mask; what is shown is the mean over masks.
  const plan = examplePlan(objective);
  const lines = disagreements(objective.macs(plan), tracedMacs(objective, plan));
  if (lines.length === 0) return objective.macs();
  throw new EngineError(`formula and graph disagree about the cost, MACs an image:\n  ${lines.join('\n  ')}`, {
    place: what,
    remedy: `A hook's cost formula is wrong, or its parts are named otherwise than its operations; see the README of @mimlab/core.`,
  });
}

/**
 * Counts what one image costs, by closed formula and by the recorded graph.
 * @throws EngineError if the two disagree in any part
 */
export function countCost(composition: Composition, count: Count): Cost {
  const parts = agreedMacs(objectiveFor(composition, count), 'wrapped method');
  const unwrapped = agreedMacs(objectiveFor(withoutWrappers(composition), count), 'method without wrappers');
  const [total, whole] = [totalMacs(parts), totalMacs(unwrapped)];
  return { count, total, parts, unwrapped: { total: whole, parts: unwrapped }, ratio: total / whole };
}

/**
 * What one image costs by closed formula alone: quick, and equal to `countCost` where that does not refuse. Where the cost
 * hangs on the mask, the mean over seeded masks.
 */
export function formulaMacs(composition: Composition, count: Count): MacParts {
  return objectiveFor(composition, count).macs();
}

/** Ratio of the costs by formula alone, for a line at the start of a run. */
export function formulaRatio(objective: Objective, composition: Composition): number {
  return totalMacs(objective.macs()) / totalMacs(createObjective(composeRun(withoutWrappers(composition))).macs());
}
