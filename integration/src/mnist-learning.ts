import {
  composeRun,
  createObjective,
  hostTargetInputs,
  randomStream,
  stackPlans,
  type Composition,
  type HostTensor,
  type NamedHostTensors,
  type Objective,
  type ParamSpecs,
  type TokenPlan,
} from '@mimlab/core';
import { openDataset, type Dataset } from '@mimlab/data';
import { createEngine, findTensorflow } from '@mimlab/engine';
import { hookRandomness, parameterState, pretrainStep, TrainConfig } from '@mimlab/train';

const SEED = 2;
const SIDE = 28;

export interface Learning {
  readonly updates: number;
  readonly batch: number;
  readonly lr: number;
}

/** What came of it. */
export interface Learnt {
  /** One loss an update. */
  readonly losses: readonly number[];
  /** Parts of the last loss, and whatever else is shown beside it. */
  readonly parts: Readonly<Record<string, number>>;
  readonly specs: ParamSpecs;
  readonly values: Readonly<Record<string, HostTensor>>;
}

/** Inputs of an update as the loader gives them, from images one after the other. */
async function inputsOf(objective: Objective, dataset: Dataset, update: number, batch: number): Promise<NamedHostTensors> {
  const { sampler, grid } = objective;
  const data = new Uint8Array(batch * SIDE * SIDE);
  const plans: TokenPlan[] = [];
  const shared = sampler.scope === 'batch';
  for (let b = 0; b < batch; b++) {
    data.set((await dataset.image(update * batch + b)).pixels, b * SIDE * SIDE);
    if (shared && b > 0) {
      plans.push(plans[0] as TokenPlan);
      continue;
    }
    const sampleId = shared ? update : update * batch + b;
    const streams = { mask: randomStream(SEED, 'mask', 0, sampleId), sample: randomStream(SEED, 'sample', 0, sampleId) };
    const crop = { top: 0, left: 0, height: SIDE, width: SIDE, sourceHeight: SIDE, sourceWidth: SIDE, flip: false };
    plans.push(sampler.sample({ grid, streams, sampleId, epoch: 0, crop }));
  }
  const images = plans.map((_, b) => data.subarray(b * SIDE * SIDE, (b + 1) * SIDE * SIDE));
  return {
    images: { shape: [batch, SIDE, SIDE, 1], dtype: 'uint8', data },
    ...stackPlans(plans, { shared }),
    ...hostTargetInputs(objective.target, images),
    ...hookRandomness(objective, batch, SEED, update, 0),
  };
}

/** Trains a method on MNIST at its own size, with values from files where the method has some: compiled where that is possible. */
export async function learnMnist(method: Omit<Composition, 'image'>, { updates, batch, lr }: Learning): Promise<Learnt> {
  const objective = createObjective(composeRun({ image: { height: SIDE, width: SIDE, channels: 1 }, ...method }));
  const dataset = await openDataset({ dataset: 'mnist', split: 'train' });
  const engine = await createEngine({ kind: findTensorflow() === undefined ? 'eager' : 'graph', precision: 'fp32' });
  try {
    const specs = objective.params();
    await engine.define(parameterState(specs, SEED));
    await engine.write(await objective.pretrained());
    const step = engine.compile(pretrainStep(objective, dataset.statistics, TrainConfig.parse({ batch, epochs: 1, warmupEpochs: 0 })));
    const losses: number[] = [];
    let parts: Readonly<Record<string, number>> = {};
    for (let update = 1; update <= updates; update++) {
      const { metrics } = await step.run(await inputsOf(objective, dataset, update, batch), { lr, update });
      losses.push(metrics['loss'] as number);
      parts = metrics;
    }
    step.dispose();
    return { losses, parts, specs, values: await engine.read(Object.keys(specs)) };
  } finally {
    engine.dispose();
  }
}

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
