import { composeRun, createObjective, examplePlan, randomStream, stackPlans, type Configured, type MethodPlugin, type NamedHostTensors, type Objective } from '@mimlab/core';
import { createEngine, findTensorflow, profileStep, type Precision, type Recompute } from '@mimlab/engine';
import { greenmim, GreenMimConfig } from '@mimlab/plugin-greenmim';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import { hookRandomness, parameterState, pretrainStep, TrainConfig } from '@mimlab/train';
import { describe, expect, it } from 'vitest';

const BATCH = 4;
const SIDE = 32;
const sparse = { patchSize: 2, width: 16, mlpRatio: 2 };

/** A plain ViT, one with layer scale, stochastic depth and relative positions, whole windows, and groups of visible tokens. */
const METHODS: readonly (readonly [name: string, method: Configured<MethodPlugin>, thrown: number])[] = [
  ['MAE', { plugin: mae, config: MaeConfig.parse({ patchSize: 4, width: 32, depth: 4, heads: 4, decoderWidth: 16, decoderDepth: 3, decoderHeads: 2 }) }, 0.5],
  ['SimMIM', { plugin: simmim, config: SimMimConfig.parse({ ...sparse, patchSize: 4, maskUnit: 8, maskRatio: 0.5, depth: 4, heads: 2, dropPath: 0.1 }) }, 0.25],
  ['SimMIM on Swin', { plugin: simmim, config: SimMimConfig.parse({ ...sparse, arch: 'swin', maskUnit: 8, maskRatio: 0.5, depth: [2, 2], heads: [1, 2], window: 4 }) }, 0],
  ['GreenMIM', { plugin: greenmim, config: GreenMimConfig.parse({ ...sparse, depths: [2, 2], heads: [1, 2], window: 4, decoderWidth: 16, decoderHeads: 2 }) }, 0.5],
];

function objectiveOf(method: Configured<MethodPlugin>, thrown: number): Objective {
  const wrap = thrown === 0 ? [] : [{ plugin: prMim, config: PrMimConfig.parse({ throw: thrown, aggregator: { kernel: 3 } }) }];
  return createObjective(composeRun({ image: { height: SIDE, width: SIDE, channels: 3 }, method, wrap }));
}

function inputsOf(objective: Objective): NamedHostTensors {
  const stream = randomStream('recompute', 'pixels');
  const shared = objective.sampler.scope === 'batch';
  return {
    images: { shape: [BATCH, SIDE, SIDE, 3], dtype: 'uint8', data: Uint8Array.from({ length: BATCH * SIDE * SIDE * 3 }, () => stream.int(256)) },
    ...stackPlans(Array.from({ length: BATCH }, (_, number) => examplePlan(objective, shared ? 0 : number)), { shared }),
    ...hookRandomness(objective, BATCH, 0, 1, 0),
  };
}

async function train(objective: Objective, recompute: Recompute, precision: Precision) {
  const engine = await createEngine({ kind: 'graph', precision, threads: 1, recompute });
  try {
    await engine.define(parameterState(objective.params(), 0));
    const step = engine.compile(pretrainStep(objective, { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }, TrainConfig.parse({ batch: BATCH, epochs: 1, warmupEpochs: 0, clipNorm: 1 })));
    const inputs = inputsOf(objective);
    const metrics = [];
    for (let update = 1; update <= 2; update++) metrics.push((await step.run(inputs, { lr: 1e-3, update })).metrics);
    const { profile } = await profileStep(step, inputs, { lr: 1e-3, update: 3 });
    return { metrics, state: await engine.read(engine.stateNames()), peak: profile.peakBytes };
  } finally {
    engine.dispose();
  }
}

describe.skipIf(findTensorflow() === undefined)('what is computed again', () => {
  it.each(METHODS)(
    '%s: changes neither metrics nor weights nor moments by a bit, and makes the peak lower',
    async (_name, method, thrown) => {
      const objective = objectiveOf(method, thrown);
      const none = await train(objective, 'none', 'fp32');
      let peak = none.peak;
      for (const recompute of ['cheap', 'blocks'] as const) {
        const run = await train(objective, recompute, 'fp32');
        expect(run.metrics, recompute).toEqual(none.metrics);
        expect(run.state, recompute).toEqual(none.state);
        expect(run.peak, recompute).toBeLessThan(peak);
        peak = run.peak;
      }
    },
    240_000,
  );

  it('is the same in bfloat16', async () => {
    const [, method, thrown] = METHODS[0] as (typeof METHODS)[number];
    const objective = objectiveOf(method, thrown);
    const [none, blocks] = [await train(objective, 'none', 'bf16'), await train(objective, 'blocks', 'bf16')];
    expect(blocks.metrics).toEqual(none.metrics);
    expect(blocks.state).toEqual(none.state);
    expect(blocks.peak).toBeLessThan(none.peak);
  }, 240_000);
});
