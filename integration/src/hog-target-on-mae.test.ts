import { describePlugin } from '@mimlab/conformance';
import { composeRun, CompositionError, createObjective, type ImageSpec, type Objective } from '@mimlab/core';
import { hogOfCells, orientationsOf } from '@mimlab/nn';
import localMim, { LocalMimConfig, type LocalMimConfig as Settings } from '@mimlab/plugin-localmim';
import mae, { MaeConfig } from '@mimlab/plugin-mae';
import { describe, expect, it } from 'vitest';

const small = { patchSize: 4, width: 8, depth: 1, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };
const target = (config: Partial<Settings> = {}) => ({ plugin: localMim, config: LocalMimConfig.parse({ kind: 'hog', ...config }) });
const maeWith = (image: ImageSpec, config: Partial<Settings> = {}, own: Record<string, unknown> = {}): Objective =>
  createObjective(composeRun({ image, method: { plugin: mae, config: MaeConfig.parse({ ...small, ...own }) }, hooks: { target: target(config) } }));

describePlugin(mae, { image: { height: 16, width: 16, channels: 3 }, config: small, complete: { target: target() } });

describe('MAE that predicts HOG', () => {
  const image = { height: 16, width: 8, channels: 2 };
  const objective = maeWith(image, { bins: 5 });

  it('has the one branch of scale 1, sized by channels and bins', () => {
    const [branch] = objective.decoder.branches;
    expect(objective.decoder.branches).toHaveLength(1);
    expect(objective.target.spec(objective.grid)[branch?.name ?? '']).toMatchObject({ values: 10, scale: 1 });
    expect(objective.params()['decoder_pred.weight']?.shape).toEqual([8, 10]);
  });

  it('is taught the histograms of its own patches', () => {
    const pixels = Uint8Array.from({ length: 256 }, (_, i) => (i * i * 31) % 251);
    const [name] = objective.decoder.branches.map((branch) => branch.name);
    const computed = objective.target.hostTargets?.compute(pixels)[`hog.${name}`];
    expect(computed).toEqual(hogOfCells(orientationsOf(pixels, image, 5), { height: 4, width: 4 }));
  });

  it('works where other scales do not fit: on odd grids, and on patches too small to divide', () => {
    expect(maeWith({ height: 28, width: 28, channels: 1 }).decoder.branches).toHaveLength(1);
    expect(maeWith({ height: 8, width: 8, channels: 1 }, {}, { patchSize: 2 }).decoder.branches).toHaveLength(1);
  });

  it('is refused where no scale is 1', () => {
    expect(() => maeWith(image, { scales: [4, 2], taps: [6, 12] })).toThrow(CompositionError);
    expect(() => maeWith(image, { scales: [4, 2], taps: [6, 12] })).toThrow(/asks for branches \[local0, local1\], the decoder offers \[pixels\]/);
  });

  it('may predict pixels of LocalMIM as well, which are those of MAE', () => {
    const pixels = maeWith(image, { kind: 'pixels' });
    expect(pixels.target.picture).toEqual({ branch: 'local2', values: 'patches', standardized: true });
    expect(pixels.params()['decoder_pred.weight']?.shape).toEqual([8, 32]);
  });
});

describe('LocalMIM with hooks of MAE', () => {
  const image = { height: 16, width: 16, channels: 1 };
  const config = LocalMimConfig.parse({ ...small, decoderDepth: 1, depth: 7 });
  const method = { plugin: localMim, config };

  it('refuses the target of MAE, with both lists', () => {
    const run = composeRun({ image, method, hooks: { target: { plugin: mae, config: MaeConfig.parse(small) } } });
    expect(() => createObjective(run)).toThrow(/asks for branches \[pixels at scale 1\], the decoder offers \[local0 at scale 4, local1 at scale 2, local2 at scale 1, local3 at scale 0\.5\]/);
  });

  it('refuses the encoder of MAE, which has one feature', () => {
    const run = composeRun({ image, method, hooks: { encoder: { plugin: mae, config: MaeConfig.parse(small) } } });
    expect(() => createObjective(run)).toThrow(/reads the feature 'tap0' of visible tokens, the encoder offers latent/);
  });

  it('teaches its encoder by the decoder and target of MAE', () => {
    const other = { plugin: mae, config: MaeConfig.parse(small) };
    const objective = createObjective(composeRun({ image, method, hooks: { decoder: other, target: other } }));
    expect(Object.keys(objective.params())).toContain('decoder_pred.weight');
  });
});
