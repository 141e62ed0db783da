import { examplePlan, stepInputSpecs, type MacParts, type NamedTensors, type Objective, type TensorSpec, type TokenPlan } from '@mimlab/core';
import { countMacs, traceFunction } from '@mimlab/engine';
import { ensure, type Check, type Examined } from '../check.js';
import { asObjectiveBatch, objectiveOf, wrapper } from '../subject.js';

const PARAM = 'param.';

/** Multiply-accumulates of one image as the recorded graph has them. */
function tracedMacs(examined: Examined, objective: Objective, plan: TokenPlan): MacParts {
  const params = Object.entries(objective.params()).map(([name, { shape }]): [string, TensorSpec] => [PARAM + name, { shape, dtype: 'float32' }]);
  const recording = traceFunction(
    (inputs: NamedTensors) => {
      const named = params.map(([name]): [string, NamedTensors[string]] => [name.slice(PARAM.length), inputs[name] as NamedTensors[string]]);
      return { loss: objective.evaluate(asObjectiveBatch(inputs, objective, examined), Object.fromEntries(named), false).loss };
    },
    { ...stepInputSpecs(objective, 1, plan), ...Object.fromEntries(params) },
  );
  return countMacs(recording);
}

function ensureCosts(examined: Examined, objective: Objective): void {
  // Costs may hang on more of a plan than its counts: both sides are asked about the same one.
  const plan = examplePlan(objective);
  const formula = objective.macs(plan);
  const traced = tracedMacs(examined, objective, plan);
  const names = [...new Set([...Object.keys(formula), ...Object.keys(traced)])].sort();
  const different = names.filter((name) => Math.abs((formula[name] ?? 0) - (traced[name] ?? 0)) > 0.5);
  ensure(different.length === 0, () => {
    const lines = different.map((name) => `${name === '' ? '(outside any part)' : name}: ${formula[name] ?? 0} by formula, ${traced[name] ?? 0} in the graph`);
    return `costs differ, MACs an image:\n  ${lines.join('\n  ')}`;
  });
}

export const costChecks: readonly Check[] = [
  {
    name: 'its closed cost formulas equal the recorded graph, part by part',
    run(examined) {
      ensureCosts(examined, objectiveOf(examined));
    },
  },
  {
    name: 'wrapped by pr-mim, its cost formulas still equal the recorded graph',
    run(examined) {
      const { refusesThrowing, throw: ratio } = examined.settings;
      ensureCosts(examined, objectiveOf(examined, wrapper({ throw: refusesThrowing ? 0 : ratio })));
    },
  },
];
