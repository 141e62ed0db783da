import { randomStream, type HostTensor, type Objective, type TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadGolden, loadJson, tensorOf, type Golden } from './golden-cases.js';
import { localMimInputs, localMimRun } from './localmim-case.js';
import { describeLocalMim } from './localmim-checks.js';
import { describeLocalMimStateDict, featureOf } from './localmim-state-dict.js';

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

/** Absolute tolerance of targets (specification, section 8). */
const TARGETS = 2e-5;

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

/** Unit i is hidden when its number is at most the whole part of ratio times units. */
const hiddenUnits = ({ data }: HostTensor, ratio: number): number[] => [...data.keys()].filter((unit) => (data[unit] as number) <= Math.floor(ratio * data.length));

/** The plan of the sampler where its stream draws the numbers of a case: the units of lowest number come first. */
function planOf({ sampler, grid }: Objective, numbers: HostTensor): TokenPlan {
  const units = Int32Array.from([...numbers.data.keys()].sort((a, b) => (numbers.data[a] as number) - (numbers.data[b] as number)));
  const drawn = { ...randomStream(0), permutation: (length: number) => (length === units.length ? units : Int32Array.from({ length }, (_, place) => place)) };
  const crop = { top: 0, left: 0, height: 1, width: 1, sourceHeight: 1, sourceWidth: 1, flip: false };
  return sampler.sample({ grid, streams: { mask: drawn, sample: drawn }, sampleId: 0, epoch: 0, crop });
}

describeGolden('localmim-swin', /^(?!state-dict).*\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const config = CaseConfig.parse(JSON.parse(golden.metadata['config'] ?? 'null'));
    const settings = settingsOf(golden, config);
    const run = localMimRun(golden, settings);
    const everyPatch = localMimRun(golden, { ...settings, embedPatches: 'all' });
    const numbers = tensorOf(golden, 'input.perm');
    const plan = planOf(run.objective, numbers);
    const batch = tensorOf(golden, 'input.images').shape[0] as number;
    const inputs = localMimInputs(run, golden, new Array<TokenPlan>(batch).fill(plan));

    it('hides the units that the case hides', () => {
      expect([...plan.retained].sort((a, b) => a - b)).toEqual(hiddenUnits(numbers, config.mask_ratio));
      expect(plan.visible.length + plan.retained.length).toBe(numbers.data.length);
    });

    describeLocalMim({ golden, run, variants: [[', embedding all patches', everyPatch]], inputs, onGrid: (predicted) => predicted, targets: TARGETS });
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
