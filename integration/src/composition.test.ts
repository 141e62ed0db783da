import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRunContext } from '@mimlab/cli';
import { describePlugin } from '@mimlab/conformance';
import { hostTargetInputs, MimlabError, randomStream, stackPlans, type HostTensor, type NamedHostTensors, type Objective } from '@mimlab/core';
import { createEngine, findTensorflow } from '@mimlab/engine';
import mae from '@mimlab/plugin-mae';
import mff, { MffConfig } from '@mimlab/plugin-mff';
import simmim from '@mimlab/plugin-simmim';
import tec from '@mimlab/plugin-tec';
import { hookRandomness, parameterState, pretrainStep, TrainConfig } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const vit = { patchSize: 4, width: 8, depth: 2, heads: 2 };
const decoder = { decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };
const image = { height: 16, width: 16, channels: 3 };

// MAE with LocalMIM's target is examined in hog-target-on-mae.test.ts.
describePlugin(tec, {
  image,
  config: { ...decoder, patchSize: 4, targets: 'feature-only', teacher: { checkpoint: null, width: 12, depth: 1, heads: 3, lastLayers: 1 } },
  complete: { encoder: { plugin: mff, config: MffConfig.parse({ ...vit, fuseBlocks: [0, 1] }) } },
});
describePlugin(mae, {
  image,
  config: { ...vit, ...decoder },
  complete: { sampler: { plugin: simmim, config: simmim.configSchema.parse({ patchSize: 4, maskUnit: 8, maskRatio: 0.75 }) } },
});

/** Inputs of an update as the loader gives them: soft waves, which what is visible tells much about. */
function inputsOf(objective: Objective, update: number, batch: number): NamedHostTensors {
  const { sampler, grid, target } = objective;
  const { height, width, channels } = objective.image;
  const size = height * width * channels;
  const data = new Uint8Array(batch * size);
  const plans = Array.from({ length: batch }, (_, b) => {
    const sampleId = (update * batch + b) % 24;
    const random = randomStream(5, 'waves', sampleId);
    const [fx, fy, phase] = [0.2 * random.uniform(), 0.2 * random.uniform(), 6 * random.uniform()];
    for (let i = 0; i < size; i++) data[b * size + i] = 128 + 100 * Math.sin(fx * (Math.floor(i / channels) % width) + fy * Math.floor(i / channels / width) + phase);
    const streams = { mask: randomStream(5, 'mask', update, b), sample: randomStream(5, 'sample', update, b) };
    return sampler.sample({ grid, streams, sampleId, epoch: 0, crop: { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false } });
  });
  const images = plans.map((_, b) => data.subarray(b * size, (b + 1) * size));
  const inputs = { images: { shape: [batch, height, width, channels], dtype: 'uint8', data } satisfies HostTensor, ...stackPlans(plans) };
  return { ...inputs, ...hostTargetInputs(target, images), ...hookRandomness(objective, batch, 5, update, 0) };
}

async function train(objective: Objective, updates: number): Promise<number[]> {
  const engine = await createEngine({ kind: findTensorflow() === undefined ? 'eager' : 'graph', precision: 'fp32' });
  try {
    await engine.define(parameterState(objective.params(), 5));
    await engine.write(await objective.pretrained());
    const batch = 8;
    const step = engine.compile(pretrainStep(objective, { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }, TrainConfig.parse({ batch, epochs: 1, warmupEpochs: 0 })));
    const losses: number[] = [];
    for (let update = 1; update <= updates; update++) losses.push((await step.run(inputsOf(objective, update, batch), { lr: 4e-3, update })).metrics['loss'] as number);
    step.dispose();
    return losses;
  } finally {
    engine.dispose();
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** The presets made smaller still. */
const SMALLER = ['method.decoderWidth=16', 'method.decoderDepth=1', 'method.decoderHeads=2'];
const teacher = ['method.teacher.checkpoint=null', 'method.teacher.width=16', 'method.teacher.depth=1', 'method.teacher.heads=2', 'method.teacher.lastLayers=1'];
const sized = (at: string): string[] => [`${at}.width=16`, `${at}.depth=2`, `${at}.heads=2`];

describe('variants from YAML alone', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['mae-hog', 'decoder_pred.bias', '27', [...sized('method')]],
    ['mff-tec', 'proj_weights', '2,1,1,1', [...sized('hooks.encoder'), ...teacher]],
    ['mae-simmim-sampler', 'decoder_pred.bias', '48', [...sized('method')]],
  ])('%s: the guest is there, and the loss falls, bare and wrapped', async (name, parameter, shape, smaller) => {
    for (const suffix of ['', '-pr50']) {
      const { objective } = await loadRunContext(`variants/${name}${suffix}`, [...SMALLER, ...smaller]);
      expect(String(objective.params()[parameter]?.shape)).toBe(shape);
      expect(objective.sampler.counts(objective.grid).thrown > 0).toBe(suffix !== '');
      const losses = await train(objective, 60);
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(mean(losses.slice(-10)), suffix).toBeLessThan(0.95 * mean(losses.slice(0, 5)));
    }
  });

  it('hides whole blocks of 2 x 2 tokens where the masks are SimMIM’s', async () => {
    const { objective } = await loadRunContext('variants/mae-simmim-sampler');
    expect(objective.sampler.unit?.(objective.grid)).toEqual({ rows: 2, columns: 2 });
    expect(objective.sampler.counts(objective.grid)).toEqual({ visible: 16, retained: 48, thrown: 0 });
  });
});

describe('combinations that cannot work', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mimlab-composition-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const MAE = 'extends: mae/cifar10-small.yaml\n';
  it.each<[string, string, RegExp]>([
    ['branches that the decoder lacks', `${MAE}hooks:\n  target: { plugin: tec, patchSize: 4, teacher: { checkpoint: null } }\n`, /asks for branches \[feature, attention\], the decoder offers \[pixels\]/],
    ['scales that the decoder lacks', `${MAE}hooks:\n  target: { plugin: localmim, scales: [2, 0.5], taps: [6, 12] }\n`, /asks for branches \[local0, local1\], the decoder offers \[pixels\]/],
    ['values of other patches', `${MAE}hooks:\n  target: { plugin: mae, patchSize: 8 }\n`, /the target's patches make a grid of 4 x 4, the encoder has 8 x 8/],
    ['a grid other than the teacher’s', 'extends: variants/mff-tec.yaml\nhooks:\n  encoder: { plugin: mff, patchSize: 8 }\n', /grid/],
    ['a decoder that needs hidden tokens', `${MAE}hooks:\n  decoder: { plugin: simmim, patchSize: 4 }\n`, /of all tokens, hidden ones included, the encoder offers \[latent\]/],
    ['an encoder without the feature that is decoded', `extends: localmim/cifar10-small.yaml\nhooks:\n  encoder: { plugin: mae, patchSize: 4, width: 96, heads: 3 }\n`, /reads the feature 'tap0' of visible tokens, the encoder offers latent/],
    ['widths that no head divides', `${MAE}method: { decoderHeads: 5 }\n`, /64 is not divisible by 5/],
    ['an encoder whose masks must come grouped', `${MAE}hooks:\n  encoder: { plugin: greenmim, patchSize: 2, depths: [2, 4], heads: [2, 4], width: 32, window: 4 }\n`, /needs one mask for the whole batch with its group tables/],
    ['mask units that do not tile the grid', `${MAE}hooks:\n  sampler: { plugin: simmim, patchSize: 4, maskUnit: 12 }\n`, /units of 3 x 3 tokens do not tile a grid of 8 x 8/],
    ['throwing where windows need whole grids', 'method: { plugin: simmim, arch: swin, patchSize: 2, maskUnit: 8, width: 8, depth: [2, 2], heads: [1, 2], window: 4 }\nwrap: [{ plugin: pr-mim }]\ndata: { dataset: cifar10, path: x }\n', /grid/],
  ])('%s are refused when the configuration is loaded, with the reason', async (name, yaml, reason) => {
    const file = join(folder, `${name.replace(/\W/g, '-')}.yaml`);
    await writeFile(file, yaml);
    const error: unknown = await loadRunContext(file).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(MimlabError);
    expect((error as Error).message).toMatch(reason);
  });
});
