import { composeRun, createObjective, totalMacs, type ImageSpec, type Objective } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import plugin, { localMim, LocalMimConfig } from './index.js';

const official: ImageSpec = { height: 224, width: 224, channels: 3 };
const objectiveOf = (image: ImageSpec, config: object = {}): Objective => createObjective(composeRun({ image, method: { plugin: localMim, config: LocalMimConfig.parse(config) } }));
const trainable = (objective: Objective): number =>
  Object.values(objective.params()).reduce((sum, spec) => sum + (spec.trainable ? spec.shape.reduce((a, b) => a * b, 1) : 0), 0);

describe('the LocalMIM plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(localMim);
    expect([localMim.kind, localMim.name, localMim.paper]).toEqual(['method', 'localmim', 'arXiv:2303.05251']);
  });

  it.each([
    ['ViT-S', { width: 384, heads: 6 }, 25_463_276],
    ['ViT-B', {}, 89_916_140],
    ['ViT-L', { width: 1024, depth: 24, heads: 16, bins: 18, hogBias: true }, 307_651_480],
    ['Swin-B', { arch: 'swin' }, 87_761_872],
    ['Swin-B with pixels', { arch: 'swin', kind: 'pixels' }, 88_641_592],
    ['Swin-L', { arch: 'swin', width: 192, heads: [6, 12, 24, 48], window: 14 }, 196_450_028],
  ])('has as many trainable numbers as the official %s', (_name, config, count) => {
    expect(trainable(objectiveOf(official, config))).toBe(count);
  });

  it('predicts grids of 56, 28, 14 and 7 cells at full size, of 28, 14, 7 and 7 with Swin', () => {
    const cells = (config: object): number[] => {
      const objective = objectiveOf(official, config);
      return Object.values(objective.target.spec(objective.grid)).map(({ scale }) => scale * objective.grid.rows);
    };
    expect(cells({})).toEqual([56, 28, 14, 7]);
    expect(cells({ arch: 'swin' })).toEqual([28, 14, 7, 7]);
  });

  it('hides 147 of 196 tokens, or 37 of 49 units', () => {
    const counts = (config: object) => {
      const { sampler, grid } = objectiveOf(official, config);
      return sampler.counts(grid);
    };
    expect(counts({})).toEqual({ visible: 49, retained: 147, thrown: 0 });
    expect(counts({ arch: 'swin' })).toEqual({ visible: 12, retained: 37, thrown: 0 });
  });

  it('costs what is published for ViT-B, as papers count', () => {
    const macs = objectiveOf(official, localMim.paperCount).macs();
    expect((totalMacs(macs) / 1e9).toFixed(3)).toBe('5.234');
    expect(Object.keys(macs).sort()).toEqual(['decoder', 'decoderEmbed', 'encoder', 'head', 'patch']);
  });
});

describe('LocalMIM on images it cannot take', () => {
  it('names the scale that does not fit, and how to leave it out', () => {
    const image = { height: 28, width: 28, channels: 1 };
    const small = { patchSize: 4, width: 8, heads: 2, decoderWidth: 8, decoderHeads: 2 };
    expect(() => objectiveOf(image, { ...small, depth: 7 })).toThrow(/scales: scale 0\.5 joins 2 x 2 tokens, the grid has 7 x 7\n {2}Leave 0\.5 out of 'scales'/);
    expect(objectiveOf(image, { ...small, depth: 3, scales: [4, 2, 1], taps: [1, 2, 3] }).decoder.branches).toHaveLength(3);
  });

  it('names the scale that a patch cannot be divided by', () => {
    expect(() => objectiveOf(official, { patchSize: 14, width: 1280, depth: 32, heads: 16 })).toThrow(/scale 4 divides each side of a token by 4, a token has 14 x 14 pixels/);
  });
});
