import { composeRun, createObjective, fullPlan, randomStream, type Objective } from '@mimlab/core';
import type { Dataset, Loader } from '@mimlab/data';
import { createEagerEngine, createEngine, findTensorflow, type Engine } from '@mimlab/engine';
import { extractFeatures, knnClassify, type Features, type Pool } from '@mimlab/evaluate';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { prMim, PrMimConfig } from '@mimlab/pr-mim';
import { parameterState } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SIDE = 16;
const COUNT = 7;

/** A tiny MAE wrapped by PR-MIM: evaluation must see its encoder without any of the masking. */
function wrappedMae(): Objective {
  const config = MaeConfig.parse({ patchSize: 4, width: 8, depth: 1, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 });
  const wrapper = { plugin: prMim, config: PrMimConfig.parse({ throw: 0.5 }) };
  return createObjective(composeRun({ image: { height: SIDE, width: SIDE, channels: 1 }, method: { plugin: mae, config }, wrap: [wrapper] }));
}

/** Random images in batches of three: the last one is short. */
function loader(): Loader {
  const random = randomStream('images');
  const images = Array.from({ length: COUNT }, () => Uint8Array.from({ length: SIDE * SIDE }, () => random.int(256)));
  return {
    size: COUNT,
    dataset: { statistics: { mean: [0.5], std: [0.25] } } as unknown as Dataset,
    batchesPerEpoch: 3,
    async *epoch() {
      for (let from = 0, index = 0; from < COUNT; from += 3, index++) {
        const rows = images.slice(from, from + 3);
        yield {
          inputs: { images: { shape: [rows.length, SIDE, SIDE, 1], dtype: 'uint8', data: Uint8Array.from(rows.flatMap((row) => [...row])) } },
          labels: Int32Array.from(rows, (_, i) => (from + i) % 2),
          sampleIds: new Int32Array(rows.length),
          crops: [],
          epoch: 0,
          index,
          release: () => undefined,
        };
      }
    },
    wholeImages() {
      throw new Error('features are taken from an epoch');
    },
    timings: () => ({ read: 0, decode: 0, augment: 0, plan: 0, host: 0, wait: 0 }),
    close: async () => undefined,
  };
}

async function featuresOn(engine: Engine, pool: Pool): Promise<Features> {
  const objective = wrappedMae();
  return extractFeatures({ objective, engine, loader: loader(), pool });
}

const engines = [
  { name: 'eager', create: () => createEagerEngine({ kind: 'eager', precision: 'fp32' }) },
  ...(findTensorflow() === undefined ? [] : [{ name: 'graph', create: () => createEngine({ kind: 'graph', precision: 'fp32' }) }]),
];

describe.each(engines)('frozen features on the $name engine', ({ create }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
    await engine.define(parameterState(wrappedMae().params(), 1));
  });
  afterAll(() => {
    engine.dispose();
  });

  it.each(['cls', 'mean'] as const)('pooled by %s are those of plain tfjs on its cpu backend', async (pool) => {
    const reference = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
    await reference.define(parameterState(wrappedMae().params(), 1));
    const expected = await featuresOn(reference, pool);
    reference.dispose();
    const actual = await featuresOn(engine, pool);
    expect(actual).toMatchObject({ width: 8, count: COUNT, labels: expected.labels });
    const gap = actual.values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (expected.values[i] as number))), 0);
    expect(gap).toBeLessThan(1e-5);
    // Different images have different features: nothing above compares zeros with zeros.
    expect(new Set(Array.from({ length: COUNT }, (_, i) => expected.values[i * 8])).size).toBe(COUNT);
  });

  it('classify each sample as itself when it is its own neighbour', async () => {
    const features = await featuresOn(engine, 'mean');
    const { accuracy } = await knnClassify({ engine, train: features, test: features, classes: 2, k: 1, temperature: 0.07 });
    expect(accuracy).toBe(1);
  });

  it('come from the whole grid, of which a plan for training shows a quarter', () => {
    const { grid, sampler } = wrappedMae();
    expect(fullPlan(grid).visible).toHaveLength(16);
    expect(sampler.counts(grid)).toEqual({ visible: 4, retained: 4, thrown: 8 });
  });
});
