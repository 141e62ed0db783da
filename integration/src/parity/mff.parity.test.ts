import type { HostTensor } from '@mimlab/core';
import type { StepDefinition } from '@mimlab/engine';
import { decoderInput, embedVisible, layerNorm, linear, vitBlockOutputs } from '@mimlab/nn';
import { fromMmpretrainName, mff, MffConfig, toMmpretrainName } from '@mimlab/plugin-mff';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectNear } from './closeness.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { batchOf, caseRun, CaseConfig, defineParams, maeSettings, type MaeRun } from './mae-case.js';
import { describeMaeStep } from './mae-step-checks.js';

/** What a case of MFF has beside one of MAE: blocks to fuse, another key for the target, and names of mmpretrain. */
const MffCase = z.looseObject({
  config: z.looseObject({ out_indices: z.array(z.int()), norm_pix: z.boolean() }),
  names_to_mae_style: z.record(z.string(), z.string()),
  optimizer: z.looseObject({ decay: z.array(z.string()) }),
});
type MffCase = z.infer<typeof MffCase>;

/** The case as one of MAE: our names in place of mmpretrain's. */
function asMaeCase({ tensors, metadata, json }: Golden): Golden {
  const { config, optimizer, ...rest } = MffCase.parse(json);
  const renamed = (name: string): string => {
    const [, kind, inner] = /^(param|grad|adamw)\.(.*)$/.exec(name) ?? [];
    return kind === undefined || inner === undefined ? name : `${kind}.${fromMmpretrainName(inner)}`;
  };
  return {
    tensors: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [renamed(name), tensor])),
    metadata,
    json: { ...rest, config: { ...config, norm_pix_loss: config.norm_pix }, optimizer: { ...optimizer, decay: optimizer.decay.map(fromMmpretrainName) } },
  };
}

const mffRun =
  ({ config: { out_indices } }: MffCase) =>
  (from: CaseConfig, embedPatches: MffConfig['embedPatches'] = 'visible'): MaeRun => {
    const { image, patch, settings } = maeSettings(from);
    const config = MffConfig.parse({ ...settings, embedPatches, fuseBlocks: out_indices });
    return { config, patch, ...caseRun({ image, method: { plugin: mff, config } }) };
  };

/** The intermediate values that cases store, from the layers that the hooks use: blocks, projections, their mixture, the decoder's input. */
const mffTaps =
  ({ config: { out_indices } }: MffCase) =>
  (run: MaeRun): StepDefinition => ({
    name: 'parity.mff.taps',
    state: Object.keys(run.specs),
    compute(state, inputs) {
      const { images_BHWC, plan } = batchOf(inputs, run);
      const { config, patch } = run;
      const sequence = embedVisible(images_BHWC, plan, state, { patch, embedPatches: config.embedPatches });
      const [batch, tokens, width] = sequence.shape;
      const asSequence = (rows: Tensor2D): Tensor3D => tf.reshape(rows, [batch, tokens, width]);
      const blocks = vitBlockOutputs(tf.reshape(sequence, [batch * tokens, width]), state, 'blocks', config.depth, { batch, tokens, heads: config.heads });
      const levels = out_indices.map((block, level) => {
        const rows = blocks[block] as Tensor2D;
        return level < out_indices.length - 1 ? linear(rows, state, `proj_layers.${level}`) : rows;
      });
      const shares = Object.values(run.objective.encoder.watch?.(state) ?? {});
      const fused = levels.map((rows, level) => tf.mul(rows, shares[level] as Tensor)).reduce((sum, rows) => tf.add(sum, rows)) as Tensor2D;
      return {
        outputs: {
          ...Object.fromEntries(blocks.map((rows, block) => [`block.${block}`, asSequence(rows)])),
          ...Object.fromEntries(levels.slice(0, -1).map((rows, level) => [`proj.${level}`, asSequence(rows)])),
          fused: asSequence(fused),
          decoder_in: decoderInput(asSequence(layerNorm(fused, state, 'norm')), plan, state, true),
        },
      };
    },
  });

const available = engines();

describeGolden('mff', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const described = MffCase.parse(golden.json);
    const translated = asMaeCase(golden);

    it('names the parameters as the case maps them, both ways', () => {
      for (const [theirs, ours] of Object.entries(described.names_to_mae_style)) {
        expect(fromMmpretrainName(theirs)).toBe(ours);
        expect(toMmpretrainName(ours)).toBe(theirs);
      }
    });

    describe.each(available)('on the $name engine', (available) => {
      describeMaeStep(translated, available, { run: mffRun(described), taps: mffTaps(described) });

      it('shows the stored fusion weights', async () => {
        const { config } = z.object({ config: CaseConfig }).parse(translated.json);
        const run = mffRun(described)(config);
        const engine = await available.create();
        try {
          await defineParams(engine, withoutPrefix(translated.tensors, 'param.'), run.specs);
          const step = engine.compile({ name: 'parity.mff.shares', state: Object.keys(run.specs), compute: (state) => ({ metrics: run.objective.encoder.watch?.(state) ?? {} }) });
          const { metrics } = await step.run({});
          step.dispose();
          const shares = described.config.out_indices.map((_, level) => metrics[`fusion.${level}`] as number);
          const shown: HostTensor = { shape: [shares.length], dtype: 'float32', data: Float32Array.from(shares) };
          expectNear('fusion weights', shown, tensorOf(golden, 'output.fusion_weights'), 1e-6);
        } finally {
          engine.dispose();
        }
      });
    });
  });
});
