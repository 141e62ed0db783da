import { describePlugin } from '@mimlab/conformance';
import { composeRun, createObjective, totalMacs, type MacParts, type MethodPlugin, type Objective } from '@mimlab/core';
import mae, { MaeConfig } from '@mimlab/plugin-mae';
import mff, { MffConfig } from '@mimlab/plugin-mff';
import tec, { TecConfig } from '@mimlab/plugin-tec';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { describe, expect, it } from 'vitest';

const official = { height: 224, width: 224, channels: 3 };
const objectiveOf = (plugin: MethodPlugin, config: unknown, wrap?: PrMimInput): Objective =>
  createObjective(
    composeRun({ image: official, method: { plugin, config }, wrap: wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }] }),
    { predictTokens: 'sequence' },
  );
const vitB = {
  mff: MffConfig.parse({ ...mff.paperCount }),
  tec: TecConfig.parse({ teacher: { checkpoint: null }, ...tec.paperCount }),
};
const HALF: Record<string, PrMimInput | undefined> = { full: undefined, partial: { throw: 0.5, reconstruction: 'partial' }, progressive: { throw: 0.5 } };

describe('costs of ViT-B/16 with half of the tokens thrown, G multiply-accumulates as papers count', () => {
  const published = {
    mff: { full: 9.929, partial: 7.186, progressive: 7.229 },
    student: { full: 8.307, partial: 6.839, progressive: 6.965 },
    both: { full: 25.87, partial: 24.402, progressive: 24.528 },
  };
  const giga = (macs: number): number => macs / 1e9;

  it.each(Object.keys(HALF))('are the published ones of MFF, %s', (mode) => {
    const macs = giga(totalMacs(objectiveOf(mff as unknown as MethodPlugin, vitB.mff, HALF[mode]).macs()));
    const expected = published.mff[mode as keyof typeof published.mff];
    expect(Math.abs(macs - expected) / expected).toBeLessThan(1e-3);
  });

  it.each(Object.keys(HALF))('are the published ones of TEC with and without its teacher, %s', (mode) => {
    const { target = 0, ...student }: MacParts = objectiveOf(tec as unknown as MethodPlugin, vitB.tec, HALF[mode]).macs();
    const [alone, both] = [published.student, published.both].map((rows) => rows[mode as keyof typeof rows]) as [number, number];
    expect(Math.abs(giga(totalMacs(student)) - alone) / alone).toBeLessThan(1e-3);
    expect(Math.abs(giga(totalMacs(student) + target) - both) / both).toBeLessThan(1e-3);
  });
});

describe('TEC wrapped by pr-mim', () => {
  it('aggregates both branches, and passes the class token to attention alone', () => {
    const { decoder } = objectiveOf(tec as unknown as MethodPlugin, vitB.tec, { throw: 0.5 });
    expect(decoder.branches.map(({ name, cells, cls }) => [name, cells, cls])).toEqual([
      ['feature', 'grid', false],
      ['attention', 'grid', true],
    ]);
    const own = Object.keys(decoder.params()).filter((name) => name.startsWith('prmim.'));
    expect(own).toEqual(['prmim.feature.conv.weight', 'prmim.feature.conv.bias', 'prmim.attention.conv.weight', 'prmim.attention.conv.bias']);
  });

  it('says why thrown tokens cannot have a head of their own', () => {
    expect(() => objectiveOf(tec as unknown as MethodPlugin, vitB.tec, { throw: 0.5, shareHead: false })).toThrow(/branch 'attention' does not predict token by token/);
  });
});

const image = { height: 16, width: 16, channels: 3 };
const small = { patchSize: 4, width: 8, depth: 2, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };
const teacher = { checkpoint: null, width: 12, depth: 1, heads: 3, lastLayers: 1 };
const tecHook = (config: Record<string, unknown>) => ({ plugin: tec, config: TecConfig.parse({ patchSize: 4, topK: 3, teacher, ...config }) });

// MFF's fusion taught by TEC's features: conformance alone and wrapped.
describePlugin(mff, { image, config: small, complete: { target: tecHook({ targets: 'feature-only' }) } });

describe('hooks of TEC elsewhere', () => {
  it('teach features to the one branch of MFF, sized by the teacher', () => {
    const objective = createObjective(composeRun({ image, method: { plugin: mff, config: MffConfig.parse(small) }, hooks: { target: tecHook({ targets: 'feature-only' }) } }));
    expect(objective.decoder.branches.map(({ name }) => name)).toEqual(['feature']);
    expect(objective.params()['decoder_pred.weight']?.shape).toEqual([8, 12]);
    expect(objective.params()['proj_weights']?.trainable).toBe(true);
  });

  it('are refused where attention has no branch, with both lists', () => {
    const run = composeRun({ image, method: { plugin: mae, config: MaeConfig.parse(small) }, hooks: { target: tecHook({}) } });
    expect(() => createObjective(run)).toThrow(/asks for branches \[feature, attention\], the decoder offers \[pixels\]/);
  });

  it('are refused where the grids differ', () => {
    const run = composeRun({ image, method: { plugin: mae, config: MaeConfig.parse(small) }, hooks: { target: tecHook({ targets: 'feature-only', patchSize: 8 }) } });
    expect(() => createObjective(run)).toThrow(/the teacher's patches make a grid of 2 x 2, the encoder has 4 x 4/);
  });

  it('decode the encoder of MFF, which has no adapters', () => {
    const run = composeRun({ image, ...{ method: { plugin: tec, config: TecConfig.parse({ ...small, adapterBlocks: 1, topK: 3, teacher }) } }, hooks: { encoder: { plugin: mff, config: MffConfig.parse(small) } } });
    expect(Object.keys(createObjective(run).params())).toEqual(expect.arrayContaining(['proj_weights', 'forward_att_decoder.decoder_qk.weight']));
  });

  it('do not decode for a target that asks for pixels', () => {
    const run = composeRun({ image, ...{ method: { plugin: tec, config: TecConfig.parse({ ...small, adapterBlocks: 1, topK: 3, teacher }) } }, hooks: { target: { plugin: mae, config: MaeConfig.parse(small) } } });
    expect(() => createObjective(run)).toThrow(/asks for branches \[pixels\], the decoder offers \[feature, attention\]/);
  });
});
