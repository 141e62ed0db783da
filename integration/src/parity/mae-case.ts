import {
  composeRun,
  createObjective,
  fromFileLayout,
  planTensors,
  stackPlans,
  type Composition,
  type HostTensor,
  type NamedHostTensors,
  type Objective,
  type ObjectiveBatch,
  type ParamSpec,
  type ParamSpecs,
  type NamedTensors,
  type TokenPlan,
} from '@mimlab/core';
import type { Engine, ParamUpdate } from '@mimlab/engine';
import { orderFromNoise, type PatchSize } from '@mimlab/nn';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { z } from 'zod';

const size = z.union([z.int(), z.tuple([z.int(), z.int()])]);

/** The `config` of a MAE case, under the names of the official code. */
export const CaseConfig = z.object({
  img_size: size,
  patch_size: size,
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  decoder_embed_dim: z.int(),
  decoder_depth: z.int(),
  decoder_num_heads: z.int(),
  mlp_ratio: z.number(),
  mask_ratio: z.number(),
  norm_pix_loss: z.boolean(),
  in_chans: z.int().default(3),
});
export type CaseConfig = z.infer<typeof CaseConfig>;

/** A method put together as a case describes it. */
export interface CaseRun {
  readonly objective: Objective;
  readonly specs: ParamSpecs;
  readonly trainable: readonly string[];
}

/** The same for MAE and its relatives. */
export interface MaeRun extends CaseRun {
  readonly config: MaeConfig;
  readonly patch: PatchSize;
}

const pairOf = (side: z.infer<typeof size>): [number, number] => (typeof side === 'number' ? [side, side] : side);

/** A composition as a run. Every token is predicted, as in the official codes, so that predictions can be compared. */
export function caseRun(composition: Composition): CaseRun {
  const objective = createObjective(composeRun(composition), { predictTokens: 'sequence' });
  const specs = objective.params();
  return { objective, specs, trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true) };
}

/** Image, patch and settings of MAE that a case describes. */
export function maeSettings(from: CaseConfig) {
  const [height, width] = pairOf(from.img_size);
  const [patchHeight, patchWidth] = pairOf(from.patch_size);
  const settings = {
    patchSize: [patchHeight, patchWidth],
    width: from.embed_dim,
    depth: from.depth,
    heads: from.num_heads,
    mlpRatio: from.mlp_ratio,
    decoderWidth: from.decoder_embed_dim,
    decoderDepth: from.decoder_depth,
    decoderHeads: from.decoder_num_heads,
    maskRatio: from.mask_ratio,
    normPix: from.norm_pix_loss,
  };
  return { image: { height, width, channels: from.in_chans }, patch: { height: patchHeight, width: patchWidth }, settings };
}

/** Puts MAE together as a case describes it. */
export function maeRun(from: CaseConfig, embedPatches: MaeConfig['embedPatches'] = 'visible'): MaeRun {
  const { image, patch, settings } = maeSettings(from);
  const config = MaeConfig.parse({ ...settings, embedPatches });
  return { config, patch, ...caseRun({ image, method: { plugin: mae, config } }) };
}

/** Row `index` of the first axis, as a tensor of its own. */
export function entry(tensor: HostTensor, index: number): HostTensor {
  const shape = tensor.shape.slice(1);
  const length = tensor.data.length / (tensor.shape[0] as number);
  return { shape, dtype: tensor.dtype, data: tensor.data.slice(index * length, (index + 1) * length) };
}

/** [B, C, H, W] to [B, H, W, C]. */
export function channelsLast({ shape, data }: HostTensor): HostTensor {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const out = new Float32Array(data.length);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let pixel = 0; pixel < height * width; pixel++)
      for (let c = 0; c < channels; c++) out[at++] = data[(b * channels + c) * height * width + pixel] as number;
  return { shape: [batch, height, width, channels], dtype: 'float32', data: out };
}

/** The plans that the masking noise [B, N] of a case stands for. */
export function plansFromNoise(noise: HostTensor, objective: Objective): TokenPlan[] {
  const { grid } = objective;
  const { visible } = objective.sampler.counts(grid);
  return Array.from({ length: noise.shape[0] as number }, (_, b) => {
    const order = orderFromNoise(entry(noise, b).data);
    return { grid, visible: order.slice(0, visible), retained: order.slice(visible), thrown: new Int32Array(0) };
  });
}

/** @throws Error if the model has no parameter of this name. */
export function specOf({ specs }: CaseRun, name: string): ParamSpec {
  const spec = specs[name];
  if (spec === undefined) throw new Error(`the model has no parameter '${name}'`);
  return spec;
}

/** Inputs of a step: normalised images, and the plan that the noise stands for. */
export const stepInputs = (images: HostTensor, noise: HostTensor, run: CaseRun): NamedHostTensors => ({
  images: channelsLast(images),
  ...stackPlans(plansFromNoise(noise, run.objective)),
});

/** The images of a case are normalised already, so they go to the hooks as they are. */
export const batchOf = (inputs: NamedTensors, run: CaseRun): ObjectiveBatch => ({
  images_BHWC: inputs['images'] as ObjectiveBatch['images_BHWC'],
  plan: planTensors(inputs, run.objective.grid),
});

/** Official tensors in memory layout; parameters that `tensors` lacks are left out. */
export function toMemory(tensors: NamedHostTensors, specs: ParamSpecs): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(specs).flatMap(([name, { layout, shape }]) => {
      const tensor = tensors[name];
      return tensor === undefined ? [] : [[name, fromFileLayout(layout, tensor, shape)]];
    }),
  );
}

/** Creates the parameters of a run on an engine, with the values of a case. */
export async function defineParams(engine: Engine, tensors: NamedHostTensors, specs: ParamSpecs): Promise<void> {
  const values = toMemory(tensors, specs);
  await engine.define(
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => [
        name,
        {
          shape,
          init: () => {
            const value = values[name];
            if (value === undefined) throw new Error(`the case has no param.${name}`);
            return value.data as Float32Array;
          },
        },
      ]),
    ),
  );
}

/** AdamW for every trainable parameter. */
export function adamwUpdates(
  run: CaseRun,
  { betas, eps }: { readonly betas: readonly [number, number]; readonly eps: number },
  decayOf: (name: string) => number,
): Record<string, ParamUpdate> {
  const rule = { kind: 'adamw', beta1: betas[0], beta2: betas[1], eps } as const;
  return Object.fromEntries(run.trainable.map((name) => [name, { rule, decay: decayOf(name), lrScale: 1 }]));
}
