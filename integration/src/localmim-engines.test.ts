import { composeRun, createObjective, randomStream, type HostTensor, type Objective, type TokenPlan } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import localMim, { LocalMimConfig } from '@mimlab/plugin-localmim';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { parameterState } from '@mimlab/train';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from './parity/closeness.js';
import { engines } from './parity/engines.js';
import type { Golden } from './parity/golden-cases.js';
import { localMimForward, localMimGradients, localMimInputs, type LocalMimRun } from './parity/localmim-case.js';

const SEED = 5;
const VIT = { patchSize: 4, width: 8, depth: 4, taps: [1, 2, 3, 4], heads: 2, decoderWidth: 8, decoderHeads: 2, bins: 4 };
const SWIN = { arch: 'swin', patchSize: 2, width: 4, depth: [2, 1, 1], heads: [1, 2, 2], window: 4, decoderWidth: 16, decoderHeads: 2, bins: 4, maskRatio: 0.5 };
/** 4 x 8 tokens, or 2 x 4 mask units with Swin. */
const image = { height: 16, width: 32, channels: 3 };

function runOf(config: object, wrap?: PrMimInput): LocalMimRun {
  const wrappers = wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }];
  const objective = createObjective(composeRun({ image, method: { plugin: localMim, config: LocalMimConfig.parse(config) }, wrap: wrappers }));
  const specs = objective.params();
  return { objective, specs, trainable: Object.keys(specs).filter((name) => specs[name]?.trainable === true), scales: [] };
}

/** Two random images, channels first, as the cases of the official models have them. */
const images: Golden = (() => {
  const random = randomStream(SEED, 'images');
  const shape = [2, image.channels, image.height, image.width];
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal());
  return { tensors: { 'input.images': { shape, dtype: 'float32', data } }, metadata: {}, json: undefined };
})();

function plansOf({ sampler, grid }: Objective): TokenPlan[] {
  const crop = { top: 0, left: 0, height: 1, width: 1, sourceHeight: 1, sourceWidth: 1, flip: false };
  const plan = (sampleId: number): TokenPlan =>
    sampler.sample({ grid, streams: { mask: randomStream(SEED, 'mask', 0, sampleId), sample: randomStream(SEED, 'sample', 0, sampleId) }, sampleId, epoch: 0, crop });
  return sampler.scope === 'batch' ? [plan(0), plan(0)] : [plan(0), plan(1)];
}

interface Learned {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, HostTensor>>;
}

async function learn(run: LocalMimRun, create: () => Promise<Engine>): Promise<Learned> {
  const engine = await create();
  try {
    await engine.define(parameterState(run.specs, SEED));
    const inputs = localMimInputs(run, images, plansOf(run.objective));
    const forward = engine.compile(localMimForward(run));
    const { metrics } = await forward.run(inputs);
    forward.dispose();
    const backward = engine.compile(localMimGradients(run));
    const { outputs } = await backward.run(inputs, { outputs: run.trainable });
    backward.dispose();
    return { loss: metrics['loss'] as number, gradients: outputs };
  } finally {
    engine.dispose();
  }
}

const plain = (): Promise<Engine> => createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });

function expectSame(actual: Learned, reference: Learned): void {
  expect(actual.loss).toBeCloseTo(reference.loss, 4);
  for (const [name, gradient] of Object.entries(reference.gradients)) expectClose(name, actual.gradients[name] as HostTensor, gradient, 2e-4);
}

describe.each<[string, object, PrMimInput | undefined]>([
  ['progressive', VIT, { throw: 0.5, aggregator: { kernel: 3 } }],
  ['partial', VIT, { throw: 0.5, reconstruction: 'partial' }],
  ['partial, every cell predicted', { ...VIT, headTokens: 'grid' }, { throw: 0.5, reconstruction: 'partial' }],
  ['progressive with pixels', { ...VIT, bins: null, kind: 'pixels' }, { throw: 0.25, merge: 'residual', aggregator: { kernel: 3 } }],
  ['HOG with offsets', { ...VIT, hogBias: true }, undefined],
  ['Swin', SWIN, undefined],
  ['Swin with the released merging', { ...SWIN, merging: 'released' }, undefined],
])('LocalMIM, %s', (_name, config, wrap) => {
  let reference: Learned;
  beforeAll(async () => {
    reference = await learn(runOf(config, wrap), plain);
  });

  it.each(engines())('has the loss and gradients of plain execution on the $name engine', async ({ create }) => {
    expectSame(await learn(runOf(config, wrap), create), reference);
  });
});

describe('LocalMIM in parts', () => {
  const partial = { throw: 0.5, reconstruction: 'partial' } as const;

  it('learns the same whether its heads work on scored cells or on all', async () => {
    expectSame(await learn(runOf({ ...VIT, headTokens: 'grid', embedPatches: 'all' }, partial), plain), await learn(runOf(VIT, partial), plain));
  });

  it('learns something else from mixed-up merging', async () => {
    const [corrected, released] = [await learn(runOf(SWIN), plain), await learn(runOf({ ...SWIN, merging: 'released' }), plain)];
    expect(Math.abs(corrected.loss - released.loss)).toBeGreaterThan(1e-6);
  });
});
