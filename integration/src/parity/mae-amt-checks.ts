import { checkPlan, composeRun, createObjective, stackPlans, type HostTensor, type TokenPlan } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { expectNear } from './closeness.js';
import { runOnce, type AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { channelsLast, defineParams, entry, type MaeRun } from './mae-case.js';
import { forwardStep, gradientStep } from './mae-steps.js';

const AmtCase = z.object({
  img: z.int(),
  patch: z.int(),
  mask_ratio: z.number(),
  throw_ratio: z.number(),
  norm_pix_loss: z.boolean(),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  decoder_embed_dim: z.int(),
  decoder_depth: z.int(),
  decoder_num_heads: z.int(),
  mlp_ratio: z.number().default(4),
});

/** Suggested with the cases. */
const LOSS = 1e-5;
const OUTPUTS = 2e-5;
const GRADIENTS = 1e-4;

/** MAE with AMT's masks and throws, partially reconstructed. */
function amtRun({ metadata }: Golden): MaeRun {
  const from = AmtCase.parse(JSON.parse(metadata['config'] ?? '{}'));
  const config = MaeConfig.parse({
    patchSize: from.patch,
    width: from.embed_dim,
    depth: from.depth,
    heads: from.num_heads,
    mlpRatio: from.mlp_ratio,
    decoderWidth: from.decoder_embed_dim,
    decoderDepth: from.decoder_depth,
    decoderHeads: from.decoder_num_heads,
    normPix: from.norm_pix_loss,
  });
  const wrap = PrMimConfig.parse({
    sampling: 'amt',
    variant: 'faithful',
    amtMaskRatio: from.mask_ratio,
    throw: from.throw_ratio,
    reconstruction: 'partial',
    predictTokens: 'sequence',
  });
  const image = { height: from.img, width: from.img, channels: 3 };
  const objective = createObjective(composeRun({ image, method: { plugin: mae, config }, wrap: [{ plugin: prMim, config: wrap }] }));
  const specs = objective.params();
  return { config, patch: { height: from.patch, width: from.patch }, objective, specs, trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true) };
}

/** The plans that the draw order [B, N] of a case stands for: first the masked tokens, then the thrown, then the visible ones. */
function plansFromOrder(order: HostTensor, { objective: { grid, sampler } }: MaeRun): TokenPlan[] {
  const { retained, thrown } = sampler.counts(grid);
  return Array.from({ length: order.shape[0] as number }, (_, b) => {
    const ids = entry(order, b).data as Int32Array;
    return { grid, retained: ids.slice(0, retained), thrown: ids.slice(retained, retained + thrown).sort(), visible: ids.slice(retained + thrown) };
  });
}

/** Tokens of known order [B, S, P] sorted by their cells. */
export function sortedByCell({ shape, data }: HostTensor, plans: readonly TokenPlan[]): HostTensor {
  const [, known, size] = shape as [number, number, number];
  const out = new Float32Array(data.length);
  plans.forEach(({ visible, retained }, b) => {
    const cells = [...visible, ...retained];
    const places = cells.map((_, place) => place).sort((p, q) => (cells[p] as number) - (cells[q] as number));
    places.forEach((place, rank) => out.set(data.subarray((b * known + place) * size, (b * known + place + 1) * size), (b * known + rank) * size));
  });
  return { shape, dtype: 'float32', data: out };
}

/** One forward and backward pass of the official MAE-AMT with a given draw order. */
export function describeMaeAmt(golden: Golden, { create }: AvailableEngine): void {
  const run = amtRun(golden);
  const plans = plansFromOrder(tensorOf(golden, 'input.ids_shuffle'), run);
  const inputs = { images: channelsLast(tensorOf(golden, 'input.images')), ...stackPlans(plans) };
  const params = withoutPrefix(golden.tensors, 'param.');
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await defineParams(engine, params, run.specs);
  });
  afterAll(() => {
    engine.dispose();
  });
  const outputsOf = (definition: StepDefinition, names: readonly string[]): Promise<StepOutcome> => runOnce(engine, definition, inputs, names);

  it('masks, throws and shows the tokens that the official code does', () => {
    const flags = plans.flatMap((plan) => {
      checkPlan(plan);
      return Array.from({ length: tensorOf(golden, 'output.mask_flag').shape[1] as number }, (_, cell) => (plan.retained.includes(cell) ? 1 : plan.thrown.includes(cell) ? -1 : 0));
    });
    expect(flags).toEqual([...tensorOf(golden, 'output.mask_flag').data]);
  });

  it('gives loss, latent tokens and predictions', async () => {
    const { metrics, outputs } = await outputsOf(forwardStep(run), ['latent', 'pred']);
    expect(Math.abs((metrics['loss'] as number) - (tensorOf(golden, 'output.loss').data[0] as number)), 'gap of the loss').toBeLessThanOrEqual(LOSS);
    const latent = outputs['latent'] as HostTensor;
    const reference = tensorOf(golden, 'output.latent');
    expectNear('latent', latent, reference, OUTPUTS);
    expectNear('pred', sortedByCell(outputs['pred'] as HostTensor, plans), tensorOf(golden, 'output.pred_kept'), OUTPUTS);
  });

  it('gives every gradient', async () => {
    const { outputs } = await outputsOf(gradientStep(run), run.trainable);
    expectGradients(outputs, golden, run, GRADIENTS);
  });
}
