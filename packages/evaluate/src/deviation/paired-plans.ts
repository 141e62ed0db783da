import { CompositionError, hostTargetInputs, randomStream, sizeOfShape, stackPlans, type Crop, type HostTensor, type NamedHostTensors, type Objective, type SampleContext, type TokenPlan } from '@mimlab/core';
import { hookRandomness } from '@mimlab/train';

/** Images that every method of a comparison gets, with what plans are drawn from. */
export interface PairedBatch {
  /** uint8, [B, H, W, C]: cropped, not yet normalised. */
  readonly images: HostTensor;
  /** Indices in the data set, and where each image was cut out. */
  readonly sampleIds: Int32Array;
  readonly crops: readonly Crop[];
  /** Place of the batch in the comparison. */
  readonly index: number;
}

/** Which masks and which choice among the masked tokens. Equal numbers give equal draws. */
export interface Draw {
  readonly seed: number;
  /** 0: the masks that all methods share. */
  readonly mask: number;
  /** Number of the plan for those masks. */
  readonly plan: number;
}

/**
 * The plans that a sampler gives a batch. Masks follow (seed, batch, sample, `mask`) whatever the sampler, picks also
 * `plan`: samplers that do not mask by themselves get the same masks.
 * @throws CompositionError for samplers that follow attention, which has to be gathered by training
 */
export function drawPlans({ sampler, grid, image }: Objective, { sampleIds, crops, index }: PairedBatch, { seed, mask, plan }: Draw): TokenPlan[] {
  if (sampler.state !== undefined) {
    throw new CompositionError('this sampler follows attention that training gathers; its plans cannot be drawn here', { place: 'sampler', remedy: 'Compare random, furthest or running-cell.' });
  }
  const planOf = (sampleId: number, crop: Crop): TokenPlan => {
    const streams = { mask: randomStream(seed, 'deviation', 'mask', index, sampleId, mask), sample: randomStream(seed, 'deviation', 'sample', index, sampleId, plan) };
    const context: SampleContext = { grid, streams, sampleId, epoch: 0, crop };
    return sampler.sample(context);
  };
  if (sampler.scope === 'image') return Array.from(sampleIds, (id, place) => planOf(id, crops[place] as Crop));
  const { height, width } = image;
  return Array<TokenPlan>(sampleIds.length).fill(planOf(index, { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false }));
}

/** @throws CompositionError if the plans hide other cells than the reference does. */
export function checkSameMasks(plans: readonly TokenPlan[], reference: readonly TokenPlan[], method: string): void {
  const differs = plans.some(({ visible }, place) => {
    const shown = new Set((reference[place] as TokenPlan).visible);
    return visible.length !== shown.size || visible.some((cell) => !shown.has(cell));
  });
  if (differs) throw new CompositionError('its sampler hides other cells than full reconstruction does, so the two have no gradient in common', { place: method, remedy: 'Compare samplers that choose among the cells that the method masks.' });
}

/** A batch with its plans as the inputs of a step. Draws of hooks (drop path, say) are the same for all plans of a batch. */
export function pairedInputs(objective: Objective, { images, index }: PairedBatch, plans: readonly TokenPlan[], seed: number): NamedHostTensors {
  const { image, sampler, target } = objective;
  const each = sizeOfShape([image.height, image.width, image.channels]);
  const pixels = plans.map((_, place) => (images.data as Uint8Array).subarray(place * each, (place + 1) * each));
  return {
    images,
    ...stackPlans(plans, { shared: sampler.scope === 'batch' }),
    ...hostTargetInputs(target, pixels),
    ...hookRandomness(objective, plans.length, seed, index + 1, 0),
  };
}
