import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadGolden, loadJson, tensorOf, type Golden } from './golden-cases.js';
import { decodersOf, localMimInputs, localMimRun } from './localmim-case.js';
import { describeLocalMim } from './localmim-checks.js';
import { describeLocalMimStateDict, featureOf } from './localmim-state-dict.js';
import { plansFromNoise } from './mae-case.js';
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

/** Absolute tolerance of targets (specification, section 8). */
const TARGETS = 5e-6;

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

    it('shows the stored tokens in the stored order', () => {
      expect(plans.flatMap(({ visible }) => [...visible])).toEqual([...tensorOf(golden, 'output.ids_keep').data]);
    });

    describeLocalMim({
      golden,
      run,
      variants: [[' with heads on the whole grid', official]],
      inputs,
      onGrid: (predicted, scale) => (scale < 1 ? predicted : toRaster(predicted, gridRows, 0)),
      targets: TARGETS,
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
