import { composeRun, createObjective, randomStream, stackPlans, type NamedHostTensors, type Objective, type TokenPlan } from '@mimlab/core';
import { createEngine, findTensorflow } from '@mimlab/engine';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { hookRandomness, parameterState, pretrainStep, TrainConfig } from '@mimlab/train';
import { expect, it } from 'vitest';

const SEED = 2;
const BATCH = 16;
const UPDATES = 250;
const SIDE = 16;
/** Standardised pixels of a wave of amplitude 100: a flat prediction is off by 2 / pi of the amplitude in the mean. */
const STATISTICS = { mean: [0.5], std: [0.25] };
const FLAT = (100 / 255 / 0.25) * (2 / Math.PI);

/** Grids of 8 x 8 tokens in mask units of 2 x 2. */
const shared = { patchSize: 2, maskUnit: 4, maskRatio: 0.5, width: 16, mlpRatio: 2 };
const VIT = { ...shared, depth: 2, heads: 2, layerScale: 1, dropPath: 0.1 };
const SWIN = { ...shared, arch: 'swin', depth: [2, 1], heads: [1, 2], window: 4 };

/** Inputs of an update as the loader and the train loop give them: wide grey waves, which what is visible tells much about. */
function inputsOf(objective: Objective, update: number): NamedHostTensors {
  const { sampler, grid } = objective;
  const data = new Uint8Array(BATCH * SIDE * SIDE);
  const plans: TokenPlan[] = [];
  for (let b = 0; b < BATCH; b++) {
    const sampleId = update * BATCH + b;
    const random = randomStream(SEED, 'waves', sampleId);
    const [fx, fy, phase] = [0.4 * random.uniform(), 0.4 * random.uniform(), 6.3 * random.uniform()];
    for (let p = 0; p < SIDE * SIDE; p++) data[b * SIDE * SIDE + p] = Math.round(128 + 100 * Math.sin(fx * (p % SIDE) + fy * Math.floor(p / SIDE) + phase));
    const streams = { mask: randomStream(SEED, 'mask', 0, sampleId), sample: randomStream(SEED, 'sample', 0, sampleId) };
    const crop = { top: 0, left: 0, height: SIDE, width: SIDE, sourceHeight: SIDE, sourceWidth: SIDE, flip: false };
    plans.push(sampler.sample({ grid, streams, sampleId, epoch: 0, crop }));
  }
  return { images: { shape: [BATCH, SIDE, SIDE, 1], dtype: 'uint8', data }, ...stackPlans(plans), ...hookRandomness(objective, BATCH, SEED, update, 0) };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

it.each<[string, Record<string, unknown>, PrMimInput | undefined]>([
  ['with a ViT', VIT, undefined],
  ['with a ViT wrapped by pr-mim', VIT, { throw: 0.25 }],
  ['with a Swin', SWIN, undefined],
])(
  'SimMIM learns to continue waves it has never seen, %s',
  async (_name, config, wrap) => {
    const composition = {
      image: { height: SIDE, width: SIDE, channels: 1 },
      method: { plugin: simmim, config: SimMimConfig.parse(config) },
      wrap: wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }],
    };
    const objective = createObjective(composeRun(composition));
    const engine = await createEngine(findTensorflow() === undefined ? { kind: 'eager', precision: 'fp32' } : { kind: 'graph', precision: 'fp32' });
    try {
      await engine.define(parameterState(objective.params(), SEED));
      const step = engine.compile(pretrainStep(objective, STATISTICS, TrainConfig.parse({ batch: BATCH, epochs: 1, warmupEpochs: 0, clipNorm: 5 })));
      const losses: number[] = [];
      for (let update = 1; update <= UPDATES; update++) {
        losses.push((await step.run(inputsOf(objective, update), { lr: 3e-3, update })).metrics['loss'] as number);
      }
      step.dispose();
      expect(mean(losses.slice(0, 5))).toBeGreaterThan(0.9 * FLAT);
      expect(mean(losses.slice(-20))).toBeLessThan(0.6 * FLAT);
    } finally {
      engine.dispose();
    }
  },
  180_000,
);
