import { stackPlans, type HostTensor, type NamedHostTensors, type TokenPlan } from '@mimlab/core';
import { orderFromNoise, sparseSwinStages, sparseTables, type SparseStage } from '@mimlab/nn';
import { greenmim, GreenMimConfig } from '@mimlab/plugin-greenmim';
import { z } from 'zod';
import { caseRun, channelsLast, type CaseRun } from './mae-case.js';

/** The `config` of a GreenMIM case, under the names of the released code. */
export const CaseConfig = z.object({
  img_size: z.int(),
  patch_size: z.int(),
  embed_dim: z.int(),
  depths: z.array(z.int()),
  num_heads: z.array(z.int()),
  window_size: z.int(),
  target_patch_size: z.int(),
  decoder_embed_dim: z.int(),
  decoder_depth: z.int(),
  decoder_num_heads: z.int(),
  mask_ratio: z.number(),
  norm_pix_loss: z.boolean(),
  in_chans: z.int().default(3),
  mlp_ratio: z.number().default(4),
});
export type CaseConfig = z.infer<typeof CaseConfig>;

/** The run that a case describes. */
export interface GreenRun extends CaseRun {
  readonly config: GreenMimConfig;
  readonly stages: readonly SparseStage[];
}

/** Puts GreenMIM together as a case describes it. Every token is predicted, so that predictions can be compared. */
export function greenRun(from: CaseConfig, options: Pick<GreenMimConfig, 'visibleOrder' | 'grouping' | 'embedPatches'>): GreenRun {
  const config = GreenMimConfig.parse({
    patchSize: from.patch_size,
    width: from.embed_dim,
    depths: from.depths,
    heads: from.num_heads,
    window: from.window_size,
    mlpRatio: from.mlp_ratio,
    decoderWidth: from.decoder_embed_dim,
    decoderDepth: from.decoder_depth,
    decoderHeads: from.decoder_num_heads,
    maskRatio: from.mask_ratio,
    normPix: from.norm_pix_loss,
    ...options,
  });
  const image = { height: from.img_size, width: from.img_size, channels: from.in_chans };
  const stages = sparseSwinStages({ ...config, image, patch: { height: config.patchSize, width: config.patchSize } });
  return { ...caseRun({ image, method: { plugin: greenmim, config } }), config, stages };
}

/** The plan that the masking noise [1, N] of a case stands for, as GreenMIM's sampler makes it. */
export function planFromNoise(noise: HostTensor, { config, stages, objective }: GreenRun): TokenPlan {
  const { grid } = objective;
  const { visible } = objective.sampler.counts(grid);
  const order = orderFromNoise(noise.data);
  const shown = order.slice(0, visible);
  const units = shown.slice().sort();
  return {
    grid,
    visible: config.visibleOrder === 'raster' ? units : shown,
    retained: order.slice(visible),
    thrown: new Int32Array(0),
    aux: sparseTables(stages, units, config.grouping),
  };
}

/** Inputs of a step: normalised images [B, C, H, W] of the case, and one plan for all of them. */
export const stepInputs = (images: HostTensor, plan: TokenPlan): NamedHostTensors => ({
  images: channelsLast(images),
  ...stackPlans(Array<TokenPlan>(images.shape[0] as number).fill(plan), { shared: true }),
});
