import type { HostTensor, Params } from '@mimlab/core';
import type { Engine, StepDefinition, StepOutcome } from '@mimlab/engine';
import { PATCHES, PIXELS, relativePairs } from '@mimlab/nn';
import { LATENT } from '@mimlab/plugin-simmim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectClose } from './closeness.js';
import { runOnce, type AvailableEngine } from './engines.js';
import { tensorOf, withoutPrefix, type Golden } from './golden-cases.js';
import { expectGradients } from './gradient-checks.js';
import { defineParams, toMemory } from './mae-case.js';
import { toRaster } from './mae-steps.js';
import { batchOf, patchesOf, simmimRun, stepInputs, tokensOf, type SimMimRun } from './simmim-case.js';

/** Suggested with the cases (SimMIM specification, section 9), relative to the largest magnitude of each tensor. */
const LOSS = 1e-5;
const OUTPUTS = 5e-5;
const GRADIENTS = 2e-4;

const TABLE = 'encoder.rel_pos_bias.relative_position_bias_table';

const forwardStep = (run: SimMimRun): StepDefinition => ({
  name: 'parity.simmim',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const outcome = run.objective.evaluate(batchOf(inputs, run), state, true);
    const latent = outcome.features[LATENT] as Tensor3D;
    const cls = run.objective.encoder.features[LATENT]?.cls === true ? 1 : 0;
    const [batch, tokens, width] = latent.shape;
    return {
      loss: outcome.loss,
      outputs: {
        features: tf.slice(latent, [0, cls, 0], [batch, tokens - cls, width]),
        reconstruction: outcome.predictions[PIXELS]?.values[PATCHES] as Tensor,
        ...sharedBias(run, state),
      },
    };
  },
});

/** The bias that all blocks of a ViT share, [heads, 1 + N, 1 + N]. */
function sharedBias({ config, objective }: SimMimRun, state: Params): Record<string, Tensor> {
  if (config.arch !== 'vit') return {};
  const pairs = relativePairs(state[TABLE] as Tensor2D, objective.grid, true);
  const tokens = Math.sqrt(pairs.shape[0]);
  return { bias: tf.transpose(tf.reshape(pairs, [tokens, tokens, config.heads]), [2, 0, 1]) };
}

const gradientStep = (run: SimMimRun): StepDefinition => ({
  name: 'parity.simmim.gradients',
  state: Object.keys(run.specs),
  compute(state, inputs) {
    const gradients = tf.grads(() => run.objective.evaluate(batchOf(inputs, run), state, true).loss)(run.trainable.map((name) => state[name] as Tensor));
    return { outputs: Object.fromEntries(run.trainable.map((name, i) => [name, gradients[i] as Tensor])) };
  },
});

/** One forward and backward pass of the official SimMIM. */
export function describeSimMim(golden: Golden, { create }: AvailableEngine, overrides: Readonly<Record<string, unknown>> = {}): void {
  const run = simmimRun(golden, overrides);
  const inputs = stepInputs(golden, run);
  const gridRows = inputs['plan.gridRows']?.data as Int32Array;
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
  /** Tokens that the model has in known order, in raster order. */
  const inRaster = (tokens: HostTensor): HostTensor => (run.config.arch === 'vit' ? toRaster(tokens, gridRows, 0) : tokens);

  it('has the parameters of the case', () => {
    expect(Object.keys(run.specs).sort()).toEqual(Object.keys(params).sort());
    expect(Object.keys(toMemory(params, run.specs))).toHaveLength(Object.keys(params).length);
  });

  it('gives loss, features and reconstruction', async () => {
    const bias = golden.tensors['mid.rel_pos_bias'];
    const { metrics, outputs } = await outputsOf(forwardStep(run), ['features', 'reconstruction', ...(bias === undefined ? [] : ['bias'])]);
    const loss = tensorOf(golden, 'output.loss').data[0] as number;
    expect(Math.abs((metrics['loss'] as number) - loss) / loss, 'relative gap of the loss').toBeLessThanOrEqual(LOSS);
    expectClose('features', inRaster(outputs['features'] as HostTensor), tokensOf(tensorOf(golden, 'output.features')), OUTPUTS);
    expectClose('reconstruction', inRaster(outputs['reconstruction'] as HostTensor), patchesOf(tensorOf(golden, 'output.reconstruction'), run.patch), OUTPUTS);
    if (bias !== undefined) expectClose('rel_pos_bias', outputs['bias'] as HostTensor, bias, OUTPUTS);
  });

  it('gives every gradient', async () => {
    const { outputs } = await outputsOf(gradientStep(run), run.trainable);
    expectGradients(outputs, golden, run, GRADIENTS);
  });
}
