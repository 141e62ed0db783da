import type { HostTensor, NamedHostTensors } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNear } from './closeness.js';
import { engines, runOnce } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { asRaster, localMimForward, localMimGradients, type LocalMimRun } from './localmim-case.js';
import { defineParams } from './mae-case.js';

/** Tolerances of the specification, section 8: absolute but for gradients, which are relative to the largest entry. */
const PREDICTIONS = 2e-5;
const LOSSES = 1e-5;
const GRADIENTS = 1e-4;

export interface LocalMimCase {
  readonly golden: Golden;
  readonly run: LocalMimRun;
  /** Runs that differ in what they compute, not in the result. */
  readonly variants: readonly (readonly [name: string, run: LocalMimRun])[];
  readonly inputs: NamedHostTensors;
  /** Predictions of a scale on the whole grid. */
  onGrid(predicted: HostTensor, scale: number): HostTensor;
  /** Absolute tolerance of targets. */
  readonly targets: number;
}

/** The first tokens of each image. */
function firstTokens({ shape, data }: HostTensor, count: number): HostTensor {
  const [batch, cells, width] = shape as [number, number, number];
  const kept = Array.from({ length: batch }, (_, b) => [...data.subarray(b * cells * width, (b * cells + count) * width)]);
  return { shape: [batch, count, width], dtype: 'float32', data: Float32Array.from(kept.flat()) };
}

/** One forward and backward pass of the official LocalMIM, on every engine. */
export function describeLocalMim({ golden, run, variants, inputs, onGrid, targets }: LocalMimCase): void {
  const { columns } = run.objective.grid;

  describe.each(engines())('on the $name engine', ({ create }) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
      await defineParams(engine, withoutPrefix(golden.tensors, 'param.'), run.specs);
    });
    afterAll(() => {
      engine.dispose();
    });
    const outputsOf = (definition: StepDefinition, outputs: readonly string[]): Promise<StepOutcome> => runOnce(engine, definition, inputs, outputs);

    it.each([['', run] as const, ...variants])('gives losses, latents, targets and predictions%s', async (_name, variant) => {
      const names = run.scales.flatMap((_, k) => [`latent.${k}`, `pred.${k}`, `target.${k}`]);
      const { metrics, outputs } = await outputsOf(localMimForward(variant), names);
      for (const name of ['loss', ...run.scales.map((_, k) => `loss.${k}`)]) {
        expect(Math.abs((metrics[name] as number) - (tensorOf(golden, `output.${name}`).data[0] as number)), name).toBeLessThanOrEqual(LOSSES);
      }
      run.scales.forEach((scale, k) => {
        const found = (name: string): HostTensor => outputs[`${name}.${k}`] as HostTensor;
        const latent = tensorOf(golden, `output.latent.${k}`);
        // Stored features of a Swin list tokens where this library lists units.
        expect(found('latent').data.length, `size of latent.${k}`).toBe(latent.data.length);
        expectNear(`latent.${k}`, { ...found('latent'), shape: latent.shape }, latent, PREDICTIONS);
        const rasters = { pred: asRaster(onGrid(found('pred'), scale), columns, scale), target: asRaster(found('target'), columns, scale) };
        for (const [name, raster] of Object.entries(rasters)) {
          const first = golden.tensors[`output.${name}_first_tokens.${k}`];
          const [compared, stored] = first === undefined ? [raster, tensorOf(golden, `output.${name}.${k}`)] : [firstTokens(raster, first.shape[1] as number), first];
          expectNear(`${name}.${k}`, compared, stored, name === 'target' ? targets : PREDICTIONS);
        }
      });
    });

    it('gives every gradient', async () => {
      const { outputs } = await outputsOf(localMimGradients(run), run.trainable);
      expectGradients(outputs, golden, run, GRADIENTS);
    });
  });
}
