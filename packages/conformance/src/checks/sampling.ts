import { checkPlan, countsOf, type Grid, type TokenPlan } from '@mimlab/core';
import { ensure, sameCounts, shapeText, type Check } from '../check.js';
import { objectiveOf, sampleContext } from '../subject.js';

const SAMPLES = 20;

/** Everything that a plan says. */
const text = ({ visible, retained, thrown, repeated = new Int32Array(0), aux = {} }: TokenPlan): string =>
  JSON.stringify({ lists: [visible, retained, thrown, repeated].map((list) => [...list]), aux: Object.entries(aux).map(([name, values]) => [name, ...values]) });

const gridText = ({ rows, columns }: Grid): string => shapeText([rows, columns]);

/** Plans are made in workers, in any order and any number: nothing but the context may decide them. */
export const samplingChecks: readonly Check[] = [
  {
    name: 'its plans list every cell once and keep to the counts it promises',
    run(examined) {
      const objective = objectiveOf(examined);
      const promised = objective.sampler.counts(objective.grid);
      for (let sampleId = 0; sampleId < SAMPLES; sampleId++) {
        const plan = objective.sampler.sample(sampleContext(objective, examined.settings.seed, sampleId));
        checkPlan(plan);
        ensure(gridText(plan.grid) === gridText(objective.grid), () => `the plan's grid is ${gridText(plan.grid)}, the encoder's ${gridText(objective.grid)}`);
        const counts = countsOf(plan);
        ensure(sameCounts(counts, promised), () => `counts() promises ${JSON.stringify(promised)}, sample ${sampleId} has ${JSON.stringify(counts)}`);
      }
    },
  },
  {
    name: 'it throws no token by itself and hides some',
    run(examined) {
      const objective = objectiveOf(examined);
      const { visible, retained, thrown } = objective.sampler.counts(objective.grid);
      ensure(thrown === 0, () => `${thrown} tokens are thrown: only wrappers throw, a method retains every hidden token`);
      ensure(visible > 0 && retained > 0, () => `${visible} visible and ${retained} hidden tokens: there must be some of both`);
    },
  },
  {
    name: 'its plans depend on nothing but the context',
    run(examined) {
      const { seed } = examined.settings;
      const one = objectiveOf(examined);
      const two = objectiveOf(examined);
      const order = Array.from({ length: SAMPLES }, (_, sampleId) => sampleId);
      const forwards = order.map((sampleId) => text(one.sampler.sample(sampleContext(one, seed, sampleId))));
      const backwards = [...order].reverse().map((sampleId) => text(two.sampler.sample(sampleContext(two, seed, sampleId)))).reverse();
      const changed = forwards.findIndex((plan, sampleId) => plan !== backwards[sampleId]);
      ensure(changed < 0, () => `sample ${changed} gets another plan when samples come in another order: keep no state, draw from context.streams`);
    },
  },
  {
    name: 'its masks differ from sample to sample and follow the mask stream alone',
    run(examined) {
      const objective = objectiveOf(examined);
      const { seed } = examined.settings;
      const plans = Array.from({ length: SAMPLES }, (_, sampleId) => objective.sampler.sample(sampleContext(objective, seed, sampleId)));
      ensure(new Set(plans.map(text)).size > 1, () => `${SAMPLES} samples get one and the same plan`);
      const withStream = (changed: 'mask' | 'sample'): readonly TokenPlan[] =>
        plans.map((_, sampleId) => {
          const context = sampleContext(objective, seed, sampleId);
          const other = sampleContext(objective, seed + 1, sampleId);
          return objective.sampler.sample({ ...context, streams: { ...context.streams, [changed]: other.streams[changed] } });
        });
      const moved = (others: readonly TokenPlan[]): boolean => others.some((plan, sampleId) => text(plan) !== text(plans[sampleId] as TokenPlan));
      ensure(!moved(withStream('sample')), () => `the stream 'sample' changes the masks: it belongs to wrappers, draw masks from 'mask'`);
      ensure(moved(withStream('mask')), () => `another stream 'mask' gives the same masks, so every epoch and seed does: draw them from 'mask'`);
    },
  },
];
