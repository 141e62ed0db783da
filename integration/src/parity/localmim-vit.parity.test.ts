import { toFileLayout, type HostTensor } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectClose, expectNear } from './closeness.js';
import { describeGolden, engines, loadGolden, loadJson, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { decodersOf, asRaster, localMimForward, localMimGradients, localMimInputs, localMimRun } from './localmim-case.js';
import { describeLocalMimStateDict, featureOf } from './localmim-state-dict.js';
import { defineParams, plansFromNoise } from './mae-case.js';
import { toRaster } from './mae-steps.js';

const CaseConfig = z.object({
  patch: z.int(),
  mask_ratio: z.number(),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  decoder_embed_dim: z.int(),
  decoder_depth: z.int(),
  decoder_num_heads: z.int(),
  hog_nbins: z.int().optional(),
  hog_bias: z.boolean().default(false),
  norm_pix_loss: z.boolean().default(true),
});

/** Tolerances of the specification, section 8: absolute but for gradients, which are relative to the largest entry. */
const PREDICTIONS = 2e-5;
const TARGETS = 5e-6;
const LOSSES = 1e-5;
const GRADIENTS = 1e-4;

function settingsOf(golden: Golden): Record<string, unknown> {
  const from = CaseConfig.parse(JSON.parse(golden.metadata['config'] ?? 'null'));
  return {
    patchSize: from.patch,
    width: from.embed_dim,
    depth: from.depth,
    heads: from.num_heads,
    mlpRatio: (tensorOf(golden, 'param.blocks.0.mlp.fc1.weight').shape[0] as number) / from.embed_dim,
    scales: [4, 2, 1, 0.5].slice(0, decodersOf(golden)),
    decoderWidth: from.decoder_embed_dim,
    decoderDepth: from.decoder_depth,
    decoderHeads: from.decoder_num_heads,
    maskRatio: from.mask_ratio,
    ...(from.hog_nbins === undefined ? { kind: 'pixels', normPix: from.norm_pix_loss } : { kind: 'hog', bins: from.hog_nbins, hogBias: from.hog_bias }),
  };
}

describeGolden('localmim-vit', /^(?!state-dict).*\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const settings = settingsOf(golden);
    const run = localMimRun(golden, settings);
    const official = localMimRun(golden, { ...settings, headTokens: 'grid', embedPatches: 'all' });
    const plans = plansFromNoise(tensorOf(golden, 'input.noise'), run.objective);
    const inputs = localMimInputs(run, golden, plans);
    const gridRows = inputs['plan.gridRows']?.data as Int32Array;
    const { columns } = run.objective.grid;

    it('shows the stored tokens in the stored order', () => {
      expect(plans.flatMap(({ visible }) => [...visible])).toEqual([...tensorOf(golden, 'output.ids_keep').data]);
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
        ['on the cells in the loss', run],
        ['on the whole grid', official],
      ])('gives losses, latents, targets and predictions with heads %s', async (_name, variant) => {
        const names = run.scales.flatMap((_, k) => [`latent.${k}`, `pred.${k}`, `target.${k}`]);
        const { metrics, outputs } = await outputsOf(localMimForward(variant), names);
        for (const name of ['loss', ...run.scales.map((_, k) => `loss.${k}`)]) {
          expect(Math.abs((metrics[name] as number) - (tensorOf(golden, `output.${name}`).data[0] as number)), name).toBeLessThanOrEqual(LOSSES);
        }
        run.scales.forEach((scale, k) => {
          const stored = (name: string): HostTensor => tensorOf(golden, `output.${name}.${k}`);
          const tokens = outputs[`pred.${k}`] as HostTensor;
          expectNear(`latent.${k}`, outputs[`latent.${k}`] as HostTensor, stored('latent'), PREDICTIONS);
          expectNear(`target.${k}`, asRaster(outputs[`target.${k}`] as HostTensor, columns, scale), stored('target'), TARGETS);
          expectNear(`pred.${k}`, asRaster(scale < 1 ? tokens : toRaster(tokens, gridRows, 0), columns, scale), stored('pred'), PREDICTIONS);
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

describeGolden('localmim-vit', /^state-dict.*\.json$/, (cases) => {
  describe.each(cases)('$name', async ({ path }) => {
    describeLocalMimStateDict(await loadJson(path), (keys, config) => {
      const [width = 0, , height = 0, breadth = 0] = keys['patch_embed.proj.weight']?.shape ?? [];
      return {
        patchSize: [height, breadth],
        width,
        depth: Object.keys(keys).filter((name) => /^blocks\.\d+\.norm1\.weight$/.test(name)).length,
        heads: 1,
        decoderWidth: keys['decoder.0.mask_token']?.shape[2],
        decoderHeads: 1,
        ...featureOf(keys, config),
      };
    });
  });
});
