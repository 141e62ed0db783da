import type { Architecture, HostTensor } from '@mimlab/core';
import type { Engine, StepOutcome } from '@mimlab/engine';
import { softTargets } from '@mimlab/evaluate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { classifierRun, expectGradients, runGradients, type ClassifierRun } from './classifier-case.js';
import { expectClose } from './closeness.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { defineParams } from './mae-case.js';

const Shared = { img_size: z.int(), patch_size: z.int(), embed_dim: z.int(), classes: z.int(), mlp_ratio: z.number().default(4), in_chans: z.int().default(3) };
const Case = z.union([
  z.object({ ...Shared, depths: z.array(z.int()), num_heads: z.array(z.int()), window_size: z.int() }),
  z.object({ ...Shared, depth: z.int(), num_heads: z.int() }),
]);

function runOf({ metadata, tensors }: Golden): ClassifierRun {
  const from = Case.parse(JSON.parse(metadata['config'] ?? '{}'));
  const sizes = { patch: { height: from.patch_size, width: from.patch_size }, width: from.embed_dim, mlpRatio: from.mlp_ratio };
  const architecture: Architecture =
    'depths' in from
      ? { kind: 'swin', ...sizes, depths: from.depths, heads: from.num_heads, window: from.window_size }
      : {
          kind: 'beit',
          ...sizes,
          depth: from.depth,
          heads: from.num_heads,
          positions: 'relative',
          layerScale: 'param.blocks.0.gamma_1' in tensors ? { start: 0.1, on: ['attention', 'mlp'] } : null,
        };
  return classifierRun({ architecture, image: { height: from.img_size, width: from.img_size, channels: from.in_chans }, classes: from.classes, pool: 'mean' });
}

describeGolden('simmim-finetune', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', (which) => {
    describe.each(engines())('on $name', ({ create }) => {
      let engine: Engine;
      let golden: Golden;
      let run: ClassifierRun;
      let outcome: StepOutcome;
      beforeAll(async () => {
        golden = await loadGolden(which);
        run = runOf(golden);
        engine = await create();
        await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
        outcome = await runGradients(engine, run, golden, softTargets(tensorOf(golden, 'input.labels').data as Int32Array, run.classifier.classes, 0));
      });
      afterAll(() => {
        engine.dispose();
      });

      it('has the parameters of the official model', () => {
        expect(Object.keys(run.specs).sort()).toEqual(Object.keys(withoutPrefix(golden.tensors, 'param.')).sort());
      });

      it('gives features, scores and loss', () => {
        for (const name of ['features', 'logits']) expectClose(name, outcome.outputs[name] as HostTensor, tensorOf(golden, `output.${name}`), 5e-5);
        expect((outcome.metrics['loss'] as number) / (tensorOf(golden, 'output.loss').data[0] as number)).toBeCloseTo(1, 5);
      });

      it('gives every gradient', () => {
        expectGradients(run, outcome.outputs, golden, 2e-4);
      });
    });
  });
});
