import {
  checkPlan,
  composeRun,
  DataError,
  ENCODER,
  loadComposition,
  MimlabError,
  randomStream,
  SAMPLER,
  stackPlans,
  stateOfSample,
  TARGET,
  type CompositionRef,
  type Crop,
  type Grid,
  type HostTargets,
  type HostTensor,
  type ImageSpec,
  type Sampler,
  type SampleContext,
  type SamplerState,
  type TokenPlan,
} from '@mimlab/core';

/** What the hooks of a run make on the host. */
export interface HostHooks {
  readonly sampler: Sampler;
  readonly grid: Grid;
  readonly hostTargets: HostTargets | undefined;
}

/**
 * Builds a container of this thread's own and takes the hooks a loader needs.
 * @throws PluginError, CompositionError, ConfigError as the plugins do.
 */
export async function loadHostHooks(ref: CompositionRef, grid?: Grid): Promise<HostHooks> {
  const container = composeRun(await loadComposition(ref));
  return {
    sampler: container.resolve(SAMPLER),
    grid: grid ?? container.resolve(ENCODER).grid,
    hostTargets: container.resolve(TARGET).hostTargets,
  };
}

/** One image of a batch, as samplers need it. */
export interface PlannedSample {
  readonly sampleId: number;
  readonly crop: Crop;
}

export interface PlanRequest {
  readonly seed: number;
  readonly epoch: number;
  /** Index of the micro-batch in the epoch. */
  readonly index: number;
  readonly image: ImageSpec;
  readonly samples: readonly PlannedSample[];
  /** Name of a sample, for messages. */
  readonly describe: (sampleId: number) => string;
  readonly state?: SamplerState;
}

/**
 * Makes the plans of a batch and stacks them into inputs of the step.
 * @throws DataError naming the sample whose plan cannot be made or is none.
 */
export function makePlans({ sampler, grid }: HostHooks, request: PlanRequest): Record<string, HostTensor> {
  const { seed, epoch, index, image, samples, describe, state } = request;
  const planOf = (sampleId: number, crop: Crop, name: string): TokenPlan => {
    const streams = { mask: randomStream(seed, 'mask', epoch, sampleId), sample: randomStream(seed, 'sample', epoch, sampleId) };
    // The state has a row for each sample; a whole batch has none of its own.
    const own = state === undefined || sampler.scope === 'batch' ? {} : { state: stateOfSample(state, sampleId) };
    return samplePlan(sampler, { grid, streams, sampleId, epoch, crop, ...own }, name);
  };
  if (sampler.scope === 'image') return stackPlans(samples.map(({ sampleId, crop }) => planOf(sampleId, crop, describe(sampleId))));
  // No crop is that of the whole batch: the sampler sees the image as the step does.
  const whole: Crop = { top: 0, left: 0, height: image.height, width: image.width, sourceHeight: image.height, sourceWidth: image.width, flip: false };
  const plan = planOf(index, whole, `batch ${index} of epoch ${epoch}`);
  return stackPlans(Array<TokenPlan>(samples.length).fill(plan), { shared: true });
}

function samplePlan(sampler: Sampler, context: SampleContext, name: string): TokenPlan {
  try {
    const plan = sampler.sample(context);
    checkPlan(plan);
    return plan;
  } catch (cause) {
    const known = cause instanceof MimlabError ? cause : undefined;
    const problem = known === undefined ? String(cause instanceof Error ? cause.message : cause) : `${known.place === undefined ? '' : `${known.place}: `}${known.problem}`;
    throw new DataError(`the sampler made no usable plan: ${problem}`, {
      place: name,
      remedy: known?.remedy ?? 'Check the settings of the sampler; if they are right, report this to the author of its plugin.',
      cause,
    });
  }
}
