import { composeRun, createObjective, planTensors, randomStream, stackPlans, type HostTensor, type NamedHostTensors, type NamedTensors, type Objective, type ObjectiveBatch, type ParamSpecs, type TokenPlan } from '@mimlab/core';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { z } from 'zod';
import type { Golden } from './golden-cases.js';
import { tensorOf } from './golden-cases.js';
import { channelsLast, entry } from './mae-case.js';

/** The `config` of a SimMIM case, under the names of the official code. */
const Shared = {
  img_size: z.int(),
  patch_size: z.int(),
  embed_dim: z.int(),
  mlp_ratio: z.number(),
  encoder_stride: z.int(),
  mask_patch_size: z.int(),
  mask_ratio: z.number(),
  in_chans: z.int().default(3),
};
const VitCase = z.object({ ...Shared, depth: z.int(), num_heads: z.int(), init_values: z.number().nullable() });
const SwinCase = z.object({ ...Shared, depths: z.array(z.int()), num_heads: z.array(z.int()), window_size: z.int() });

export interface SimMimRun {
  readonly config: SimMimConfig;
  readonly objective: Objective;
  readonly specs: ParamSpecs;
  readonly trainable: readonly string[];
  readonly patch: number;
  readonly channels: number;
}

/** Puts SimMIM together as a case describes it. Drop path is 0 in cases; every token is predicted, as in the official code. */
export function simmimRun({ metadata }: Golden, overrides: Readonly<Record<string, unknown>> = {}): SimMimRun {
  const json: unknown = JSON.parse(metadata['config'] ?? '{}');
  const isSwin = metadata['method'] === 'simmim-swin';
  const from = isSwin ? SwinCase.parse(json) : VitCase.parse(json);
  const shared = { patchSize: from.patch_size, width: from.embed_dim, mlpRatio: from.mlp_ratio, maskUnit: from.mask_patch_size, maskRatio: from.mask_ratio, dropPath: 0 };
  const config = SimMimConfig.parse(
    'depths' in from
      ? { arch: 'swin', ...shared, depth: from.depths, heads: from.num_heads, window: from.window_size, ...overrides }
      : { arch: 'vit', ...shared, depth: from.depth, heads: from.num_heads, layerScale: from.init_values, ...overrides },
  );
  const image = { height: from.img_size, width: from.img_size, channels: from.in_chans };
  const objective = createObjective(composeRun({ image, method: { plugin: simmim, config } }), { predictTokens: 'sequence' });
  const branchGrid = objective.decoder.branches[0]?.grid ?? objective.grid;
  if (from.img_size / branchGrid.rows !== from.encoder_stride) throw new Error(`the case has an encoder stride of ${from.encoder_stride}, the model one of ${from.img_size / branchGrid.rows}`);
  const specs = objective.params();
  return { config, objective, specs, trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true), patch: from.patch_size, channels: from.in_chans };
}

/** Plans that hide the tokens of a mask [B, rows, columns]; hidden ones come in an order of their own, which must not matter. */
export function plansFromMask(mask: HostTensor, { objective: { grid } }: SimMimRun): TokenPlan[] {
  return Array.from({ length: mask.shape[0] as number }, (_, b) => {
    const flags = [...entry(mask, b).data];
    const cellsWith = (value: number): number[] => flags.flatMap((flag, cell) => (flag === value ? [cell] : []));
    const masked = cellsWith(1);
    const order = randomStream('parity', b).permutation(masked.length);
    return { grid, visible: Int32Array.from(cellsWith(0)), retained: order.map((place) => masked[place] as number), thrown: new Int32Array(0) };
  });
}

/** Inputs of a step: images, which cases hold normalised, and the plan that the mask stands for. */
export const stepInputs = (golden: Golden, run: SimMimRun): NamedHostTensors => ({
  images: channelsLast(tensorOf(golden, 'input.images')),
  ...stackPlans(plansFromMask(tensorOf(golden, 'input.mask'), run)),
});

export const batchOf = (inputs: NamedTensors, { objective }: SimMimRun): ObjectiveBatch => ({
  images_BHWC: inputs['images'] as ObjectiveBatch['images_BHWC'],
  plan: planTensors(inputs, objective.grid),
});

/** Images [B, C, H, W] as patches [B, N, p * p * C], values ordered row, column, colour. */
export function patchesOf({ shape, data }: HostTensor, patch: number): HostTensor {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const columns = width / patch;
  const cells = (height / patch) * columns;
  const size = patch * patch * channels;
  const out = new Float32Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const cell = Math.floor(y / patch) * columns + Math.floor(x / patch);
          const value = ((y % patch) * patch + (x % patch)) * channels + c;
          out[(b * cells + cell) * size + value] = data[((b * channels + c) * height + y) * width + x] as number;
        }
  return { shape: [batch, cells, size], dtype: 'float32', data: out };
}

/** A map [B, C, rows, columns] as tokens [B, rows * columns, C]. */
export function tokensOf(map: HostTensor): HostTensor {
  const { shape, data } = channelsLast(map);
  const [batch, rows, columns, width] = shape as [number, number, number, number];
  return { shape: [batch, rows * columns, width], dtype: 'float32', data };
}
