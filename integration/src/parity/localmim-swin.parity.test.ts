import { toFileLayout, type HostTensor, type TokenPlan } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectClose, expectNear } from './closeness.js';
import { describeGolden, engines, loadGolden, loadJson, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { asRaster, localMimForward, localMimGradients, localMimInputs, localMimRun } from './localmim-case.js';
import { describeLocalMimStateDict, featureOf } from './localmim-state-dict.js';
import { defineParams } from './mae-case.js';

const CaseConfig = z.object({
  mask_ratio: z.number(),
  merge: z.enum(['official', 'corrected']),
  embed_dim: z.int(),
  depths: z.array(z.int()),
  num_heads: z.array(z.int()),
  window_size: z.int(),
  decoder_embed_dim: z.int(),
  decoder_depth: z.int(),
  decoder_num_heads: z.int(),
  target: z.enum(['HOG', 'Pixel']),
  hog_nbins: z.int().default(9),
  hog_bias: z.boolean().default(false),
  norm_pix_loss: z.boolean().default(true),
});
type CaseConfig = z.infer<typeof CaseConfig>;

/** Tolerances of the specification, section 8: absolute but for gradients, which are relative to the largest entry. */
const PREDICTIONS = 2e-5;
const LOSSES = 1e-5;
const GRADIENTS = 1e-4;

function settingsOf(golden: Golden, from: CaseConfig): Record<string, unknown> {
  const [width, , patch] = tensorOf(golden, 'param.encoder.patch_embed.proj.weight').shape as [number, number, number];
  return {
    arch: 'swin',
    patchSize: patch,
    width,
    depth: from.depths,
    heads: from.num_heads,
    window: from.window_size,
    mlpRatio: (tensorOf(golden, 'param.encoder.layers.0.blocks.0.mlp.fc1.weight').shape[0] as number) / width,
    merging: from.merge === 'official' ? 'released' : 'corrected',
    decoderWidth: from.decoder_embed_dim,
    decoderDepth: from.decoder_depth,
    decoderHeads: from.decoder_num_heads,
    maskRatio: from.mask_ratio,
    ...(from.target === 'HOG' ? { kind: 'hog', bins: from.hog_nbins, hogBias: from.hog_bias } : { kind: 'pixels', normPix: from.norm_pix_loss }),
  };
}

/** The one plan of a batch: unit i is hidden when its number is at most the whole part of ratio times units. */
function planOf(permutation: HostTensor, ratio: number, grid: TokenPlan['grid']): TokenPlan {
  const units = [...permutation.data.keys()];
  const hidden = (unit: number): boolean => (permutation.data[unit] as number) <= Math.floor(ratio * units.length);
  return { grid, visible: Int32Array.from(units.filter((unit) => !hidden(unit))), retained: Int32Array.from(units.filter(hidden)), thrown: new Int32Array(0) };
}

/** The first tokens of each image. */
function firstTokens({ shape, data }: HostTensor, count: number): HostTensor {
  const [batch, cells, width] = shape as [number, number, number];
  const kept = Array.from({ length: batch }, (_, b) => [...data.subarray(b * cells * width, (b * cells + count) * width)]);
  return { shape: [batch, count, width], dtype: 'float32', data: Float32Array.from(kept.flat()) };
}

describeGolden('localmim-swin', /^(?!state-dict).*\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const config = CaseConfig.parse(JSON.parse(golden.metadata['config'] ?? 'null'));
    const settings = settingsOf(golden, config);
    const run = localMimRun(golden, settings);
    const everyPatch = localMimRun(golden, { ...settings, embedPatches: 'all' });
    const { sampler, grid } = run.objective;
    const plan = planOf(tensorOf(golden, 'input.perm'), config.mask_ratio, grid);
    const batch = tensorOf(golden, 'input.images').shape[0] as number;
    const inputs = localMimInputs(run, golden, new Array<TokenPlan>(batch).fill(plan));

    it('hides as many units as its sampler does', () => {
      const { visible, retained } = sampler.counts(grid);
      expect([visible, retained]).toEqual([plan.visible.length, plan.retained.length]);
    });

    describe.each(engines())('on the $name engine', ({ create }) => {
      let engine: Engine;
      beforeAll(async () => {
        engine = await create();
        await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
      });
      afterAll(() => {
        engine.dispose();
      });
      const outputsOf = async (definition: StepDefinition, outputs: readonly string[]): Promise<StepOutcome> => {
        const step = engine.compile(definition);
        try {
          return await step.run(inputs, { outputs });
        } finally {
          step.dispose();
        }
      };

      it.each([
        ['visible patches', run],
        ['all patches', everyPatch],
      ])('gives losses, latents, targets and predictions, embedding %s', async (_name, variant) => {
        const names = run.scales.flatMap((_, k) => [`latent.${k}`, `pred.${k}`, `target.${k}`]);
        const { metrics, outputs } = await outputsOf(localMimForward(variant), names);
        for (const name of ['loss', ...run.scales.map((_, k) => `loss.${k}`)]) {
          expect(Math.abs((metrics[name] as number) - (tensorOf(golden, `output.${name}`).data[0] as number)), name).toBeLessThanOrEqual(LOSSES);
        }
        run.scales.forEach((scale, k) => {
          const latent = tensorOf(golden, `output.latent.${k}`);
          expectNear(`latent.${k}`, { ...(outputs[`latent.${k}`] as HostTensor), shape: latent.shape }, latent, PREDICTIONS);
          for (const name of ['pred', 'target']) {
            const raster = asRaster(outputs[`${name}.${k}`] as HostTensor, grid.columns, scale);
            const first = golden.tensors[`output.${name}_first_tokens.${k}`];
            if (first === undefined) expectNear(`${name}.${k}`, raster, tensorOf(golden, `output.${name}.${k}`), PREDICTIONS);
            else expectNear(`${name}.${k}`, firstTokens(raster, first.shape[1] as number), first, PREDICTIONS);
          }
        });
      });

      it('gives every gradient', async () => {
        const gradients = withoutPrefix(golden.tensors, 'grad.');
        expect(Object.keys(gradients).sort(), 'parameters with a gradient').toEqual([...run.trainable].sort());
        const { outputs } = await outputsOf(localMimGradients(run), run.trainable);
        for (const name of run.trainable) {
          const { layout } = run.specs[name] as (typeof run.specs)[string];
          expectClose(`grad.${name}`, toFileLayout(layout, outputs[name] as HostTensor), gradients[name] as HostTensor, GRADIENTS);
        }
      });
    });
  });
});

describeGolden('localmim-swin', /^state-dict.*\.json$/, (cases) => {
  describe.each(cases)('$name', async ({ path }) => {
    describeLocalMimStateDict(await loadJson(path), (keys, config) => {
      const [width = 0, , patch = 0] = keys['encoder.patch_embed.proj.weight']?.shape ?? [];
      const blocks = (stage: number): string[] => Object.keys(keys).filter((name) => new RegExp(`^encoder\\.layers\\.${stage}\\.blocks\\.\\d+\\.attn\\.relative_position_bias_table$`).test(name));
      const stages = [0, 1, 2, 3].filter((stage) => blocks(stage).length > 0);
      const tables = stages.map((stage) => keys[blocks(stage)[0] as string]?.shape as [number, number]);
      return {
        arch: 'swin',
        patchSize: patch,
        width,
        depth: stages.map((stage) => blocks(stage).length),
        heads: tables.map(([, heads]) => heads),
        window: (Math.sqrt(tables[0]?.[0] ?? 0) + 1) / 2,
        decoderWidth: keys['decoder.1.mask_token']?.shape[2],
        decoderHeads: 1,
        ...featureOf(keys, config),
      };
    });
  });
});
