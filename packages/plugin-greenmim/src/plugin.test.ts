import { composeRun, createObjective, examplePlan, type ImageSpec, type Objective } from '@mimlab/core';
import { randomMasking } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import plugin, { greenmim, GreenMimConfig } from './index.js';

const image: ImageSpec = { height: 16, width: 32, channels: 3 };
const small = { patchSize: 2, width: 4, depths: [2, 1], heads: [1, 2], window: 4, mlpRatio: 2, decoderWidth: 8, decoderHeads: 2 };
const objectiveOf = (config: Record<string, unknown> = {}, of: ImageSpec = image): Objective =>
  createObjective(composeRun({ image: of, method: { plugin: greenmim, config: GreenMimConfig.parse({ ...small, ...config }) } }));

describe('the GreenMIM plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(greenmim);
    expect([greenmim.kind, greenmim.name, greenmim.paper]).toEqual(['method', 'greenmim', 'arXiv:2205.13515']);
  });

  it('plans on the grid of the last stage, whose cells are the squares of the target', () => {
    const { grid, target } = objectiveOf();
    expect(grid).toEqual({ rows: 4, columns: 8 });
    expect(target.spec(grid)['pixels']?.values).toBe(4 * 4 * 3);
  });

  it('freezes the position table and nothing else', () => {
    const specs = objectiveOf().params();
    expect(Object.keys(specs).filter((name) => !specs[name]!.trainable)).toEqual(['decoder_pos_embed']);
  });

  it('exempts tables of relative positions and the mask token from weight decay, as the release does', () => {
    const specs = objectiveOf().params();
    const exempt = Object.keys(specs).filter((name) => specs[name]!.decay === false);
    expect(exempt.filter((name) => !name.endsWith('.attn.relative_position_bias_table'))).toEqual(['mask_token']);
    expect(exempt.length).toBe(4);
  });

  it('hands its group tables to the step as arrays of the plan', () => {
    expect(Object.keys(examplePlan(objectiveOf({ window: 2 })).aux ?? {})).toContain('stage0.plain.slots');
  });
});

describe('the order in which patch merging joins tokens', () => {
  it.each([
    ['columns', [0, 16, 1, 17]],
    ['rows', [0, 1, 16, 17]],
  ] as const)('is that in which the patches of a unit are carried: by %s', (mergeOrder, inUnit) => {
    // 8 x 16 patches, units of 2 x 2.
    const { visible, aux = {} } = examplePlan(objectiveOf({ mergeOrder }));
    const corner = (unit: number): number => Math.floor(unit / 8) * 32 + (unit % 8) * 2;
    expect([...aux['cells']!]).toEqual([...visible].flatMap((unit) => inUnit.map((step) => corner(unit) + step)));
  });
});

describe('GreenMIM on images it cannot take', () => {
  it('says which stage cannot be halved', () => {
    expect(() => objectiveOf({ depths: [1, 1, 1, 1, 1], heads: [1, 1, 1, 1, 1] })).toThrow(/stage 3 works on a grid of 1 x 2, which cannot be halved/);
  });

  it('says which side the patch does not divide', () => {
    expect(() => objectiveOf({}, { height: 15, width: 32, channels: 3 })).toThrow(/an image of height 15 cannot be cut/);
  });
});

describe('parts of GreenMIM among those of other methods', () => {
  it('refuse a sampler that makes no group tables, and say why', () => {
    const other = { ...greenmim, name: 'other', hooks: () => ({ sampler: () => randomMasking({ maskRatio: 0.75 }) }) };
    const config = GreenMimConfig.parse(small);
    const run = composeRun({ image, method: { plugin: greenmim, config }, hooks: { sampler: { plugin: other, config } } });
    expect(() => createObjective(run)).toThrow(/hooks.sampler: the encoder carries visible tokens alone and needs one mask for the whole batch with its group tables/);
  });
});
