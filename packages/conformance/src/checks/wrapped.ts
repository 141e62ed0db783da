import { checkPlan, CompositionError, ConfigError, countsOf } from '@mimlab/core';
import { ensure, sameCounts, type Check, type Examined } from '../check.js';
import { objectiveOf, sampleContext, wrapper } from '../subject.js';
import { differentiate, ensureGradients } from './gradients.js';

/** Both sides add the same numbers in another order. */
const SAME_LOSS = 1e-5;

/** Ways to wrap that ask different things of the host. Every branch must bear each, or lack what the option needs and say so. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'loss on a subset of tokens': { reconstruction: 'subset', sampling: 'random' },
  'the residual merge': { merge: 'residual' },
  'the replace-all merge': { merge: 'replace-all' },
  'average pooling': { aggregator: { kind: 'avgpool', kernel: 3 } },
  'a transformer block as aggregator': { aggregator: { kind: 'transformer' } },
  'a ConvNeXt block as aggregator': { aggregator: { kind: 'convnext', kernel: 3 } },
  'mask tokens in thrown places': { fill: 'mask-token' },
  'norm and head of their own for thrown tokens': { shareNorm: false, shareHead: false },
};

/** Every sampler, as released where that differs. Ratios hold for the throwing ratio of 0.5. */
const SAMPLERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'random sampling': { sampling: 'random' },
  'furthest sampling': { sampling: 'furthest' },
  'running cell': { sampling: 'running-cell' },
  'running cell as released': { sampling: 'running-cell', variant: 'faithful' },
  AMT: { sampling: 'amt' },
  'AMT as released': { sampling: 'amt', variant: 'faithful', amtMaskRatio: 0.25 },
  'throwing by attention': { sampling: 'amt-throw' },
};

/** An option whose field a branch lacks is refused when the run is put together, with what to do instead: that is the contract, too. */
function refusal<T>(assemble: () => T): T | undefined {
  try {
    return assemble();
  } catch (error) {
    if (!(error instanceof CompositionError || error instanceof ConfigError)) throw error;
    ensure(error.remedy !== undefined, () => `the refusal '${error.message}' does not say what to do`);
    return undefined;
  }
}

/** Plans without anything thrown are the method's own. */
function ensureLeavesAlone(examined: Examined, config: Readonly<Record<string, unknown>>): void {
  const bare = objectiveOf(examined);
  const wrapped = refusal(() => objectiveOf(examined, wrapper({ ...config, throw: 0 })));
  if (wrapped === undefined) return;
  for (let sampleId = 0; sampleId < 5; sampleId++) {
    // Before attention was gathered.
    const [one, other] = [wrapped.sampler.sample(sampleContext(wrapped, examined.settings.seed, sampleId, {})), bare.sampler.sample(sampleContext(bare, examined.settings.seed, sampleId))];
    ensure(JSON.stringify(one) === JSON.stringify(other), () => `sample ${sampleId} gets another plan when nothing is thrown`);
  }
}

/** Plans have the counts that are promised, and a gradient reaches every parameter. */
async function ensureSamples(examined: Examined, config: Readonly<Record<string, unknown>>): Promise<void> {
  for (const reconstruction of ['progressive', 'partial']) {
    const wrapped = refusal(() => objectiveOf(examined, wrapper({ throw: examined.settings.throw, reconstruction, ...config })));
    if (wrapped === undefined) continue;
    const promised = wrapped.sampler.counts(wrapped.grid);
    for (let sampleId = 0; sampleId < 10; sampleId++) {
      const plan = wrapped.sampler.sample(sampleContext(wrapped, examined.settings.seed, sampleId));
      checkPlan(plan);
      ensure(sameCounts(countsOf(plan), promised), () => `counts() promises ${JSON.stringify(promised)}, the plan has ${JSON.stringify(countsOf(plan))}`);
    }
    ensureGradients(examined, await differentiate(examined, wrapped));
  }
}

async function ensureBears(examined: Examined, config: Readonly<Record<string, unknown>>): Promise<void> {
  const wrapped = refusal(() => objectiveOf(examined, wrapper({ throw: examined.settings.throw, ...config })));
  if (wrapped !== undefined) ensureGradients(examined, await differentiate(examined, wrapped));
}

/** Refused before anything runs, with what to do instead, whether thrown tokens are to be reconstructed or not. */
export function ensureThrowingRefused(examined: Examined): void {
  for (const reconstruction of ['progressive', 'partial']) {
    let refusal: unknown;
    try {
      objectiveOf(examined, wrapper({ throw: examined.settings.throw, reconstruction }));
    } catch (error) {
      refusal = error;
    }
    ensure(refusal instanceof CompositionError, () => `it is said to refuse throwing, and ${reconstruction} reconstruction ${refusal === undefined ? 'is put together' : `fails with ${String(refusal)}`}`);
    ensure(refusal.remedy !== undefined, () => `the refusal '${refusal instanceof Error ? refusal.message : ''}' does not say what to do`);
  }
}

export const wrappedChecks: readonly Check[] = [
  {
    name: 'wrapped by pr-mim without throwing, its loss and gradients stay the same',
    async run(examined) {
      const bare = await differentiate(examined, objectiveOf(examined));
      const wrapped = await differentiate(examined, objectiveOf(examined, wrapper({ throw: 0 })));
      const change = Math.abs(wrapped.loss - bare.loss) / Math.abs(bare.loss);
      ensure(change < SAME_LOSS, () => `the loss is ${bare.loss} alone and ${wrapped.loss} when pr-mim throws nothing`);
      const norm = (gradient: Float32Array | undefined): number => Math.sqrt((gradient ?? new Float32Array(0)).reduce((sum, value) => sum + value * value, 0));
      const largest = Math.max(...Object.values(bare.gradients).map(norm));
      for (const [name, gradient] of Object.entries(bare.gradients)) {
        const other = wrapped.gradients[name];
        ensure(other !== undefined, () => `${name} is no parameter of the wrapped run`);
        const difference = norm(gradient.map((value, i) => value - (other[i] as number)));
        ensure(difference < 1e-4 * largest, () => `the gradient of ${name} changes by ${difference.toExponential(1)} when pr-mim throws nothing`);
      }
    },
  },
  {
    name: 'wrapped by pr-mim, its plans throw what is asked and leave its masks alone',
    run(examined) {
      const { seed } = examined.settings;
      if (examined.settings.refusesThrowing) {
        ensureThrowingRefused(examined);
        return;
      }
      const bare = objectiveOf(examined);
      const wrapped = objectiveOf(examined, wrapper({ throw: examined.settings.throw }));
      const promised = wrapped.sampler.counts(wrapped.grid);
      ensure(promised.thrown > 0, () => `a throwing ratio of ${examined.settings.throw} throws no token of this grid: give a larger image or option 'throw'`);
      for (let sampleId = 0; sampleId < 10; sampleId++) {
        const plan = wrapped.sampler.sample(sampleContext(wrapped, seed, sampleId));
        checkPlan(plan);
        ensure(sameCounts(countsOf(plan), promised), () => `counts() promises ${JSON.stringify(promised)}, the plan has ${JSON.stringify(countsOf(plan))}`);
        const alone = bare.sampler.sample(sampleContext(bare, seed, sampleId));
        ensure(String(plan.visible) === String(alone.visible), () => `sample ${sampleId} shows other tokens when wrapped`);
      }
    },
  },
  ...Object.entries(SAMPLERS).map(
    ([what, config]): Check => ({
      name: `wrapped by pr-mim with ${what}, its plans keep their counts, and stay as they are when nothing is thrown`,
      run: async (examined) => {
        if (config['variant'] !== 'faithful' || config['sampling'] !== 'amt') ensureLeavesAlone(examined, config);
        await ensureSamples(examined, config);
      },
    }),
  ),
  ...Object.entries(VARIANTS).map(
    ([what, config]): Check => ({
      name: `wrapped by pr-mim with ${what}, a gradient still reaches every parameter`,
      run: (examined) => ensureBears(examined, config),
    }),
  ),
];
