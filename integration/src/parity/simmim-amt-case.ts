import { composeRun, createObjective, type TokenPlan } from '@mimlab/core';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import { z } from 'zod';
import { tensorOf, type Golden } from './golden-cases.js';
import { entry, type CaseRun } from './mae-case.js';

/** The `config` of a SimMIM-AMT case; the MLPs are four times as wide as the tokens. */
const AmtCase = z.object({
  img: z.int(),
  patch: z.int(),
  unit: z.int(),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  init_values: z.number(),
  mask_ratio: z.number(),
  throw_ratio: z.number(),
  mlp_ratio: z.number().default(4),
});

export interface SimMimAmtRun extends CaseRun {
  readonly patch: number;
}

/** SimMIM as AMT's released code has it, with AMT's masks and throws by whole mask units, partially reconstructed. */
export function simmimAmtRun({ metadata }: Golden): SimMimAmtRun {
  const from = AmtCase.parse(JSON.parse(metadata['config'] ?? '{}'));
  const config = SimMimConfig.parse({
    patchSize: from.patch,
    width: from.embed_dim,
    depth: from.depth,
    heads: from.num_heads,
    mlpRatio: from.mlp_ratio,
    maskUnit: from.unit,
    layerScale: from.init_values,
    layerScaleOn: 'mlp',
    positions: 'learned',
    dropPath: 0,
  });
  const wrap = PrMimConfig.parse({
    sampling: 'amt',
    variant: 'faithful',
    throwUnit: 'mask-unit',
    amtMaskRatio: from.mask_ratio,
    throw: from.throw_ratio,
    reconstruction: 'partial',
    predictTokens: 'sequence',
  });
  const image = { height: from.img, width: from.img, channels: 3 };
  const objective = createObjective(composeRun({ image, method: { plugin: simmim, config }, wrap: [{ plugin: prMim, config: wrap }] }));
  const specs = objective.params();
  return { objective, specs, trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true), patch: from.patch };
}

/** The plans that the flags [B, rows, columns] of a case stand for: 1 masked, -1 thrown, 0 visible. */
export function plansFromFlags(golden: Golden, { objective: { grid } }: SimMimAmtRun): TokenPlan[] {
  const flags = tensorOf(golden, 'input.mask_flag');
  return Array.from({ length: flags.shape[0] as number }, (_, b) => {
    const own = [...entry(flags, b).data];
    const cells = (flag: number): Int32Array => Int32Array.from(own.flatMap((value, cell) => (value === flag ? [cell] : [])));
    return { grid, visible: cells(0), retained: cells(1), thrown: cells(-1) };
  });
}
