import { composeRun, createObjective, totalMacs, type ImageSpec, type Objective } from '@mimlab/core';
import localMim, { LocalMimConfig } from '@mimlab/plugin-localmim';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { describe, expect, it, test } from 'vitest';

const official: ImageSpec = { height: 224, width: 224, channels: 3 };
const localMimOf = (image: ImageSpec, given: Record<string, unknown>, wrap?: PrMimInput, predictTokens?: 'sequence'): Objective =>
  createObjective(
    composeRun({
      image,
      method: { plugin: localMim, config: LocalMimConfig.parse(given) },
      wrap: wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }],
    }),
    predictTokens === undefined ? {} : { predictTokens },
  );

describe('costs of LocalMIM ViT-B as papers count, G MACs an image', () => {
  test.each<[string, string, PrMimInput | undefined]>([
    ['full', '5.234', undefined],
    ['partial, half thrown', '4.866', { throw: 0.5, reconstruction: 'partial' }],
    ['progressive, half thrown', '4.876', { throw: 0.5 }],
    ['progressive, a quarter thrown', '5.055', { throw: 0.25 }],
    ['progressive, 65 % thrown', '4.775', { throw: 0.65 }],
  ])('%s: %s', (_name, expected, wrap) => {
    const objective = localMimOf(official, { ...localMim.paperCount }, wrap, 'sequence');
    expect((totalMacs(objective.macs()) / 1e9).toFixed(3)).toBe(expected);
  });

  it('is less where only scored cells are computed', () => {
    const partial = { throw: 0.5, reconstruction: 'partial' } as const;
    const [own, published] = [localMimOf(official, {}, partial), localMimOf(official, { ...localMim.paperCount }, partial, 'sequence')].map((run) => run.macs());
    expect(own?.['decoder']).toBe(published?.['decoder']);
    // 49 of 196 cells, but for the coarsest head, which joins tokens and keeps its 49 groups.
    expect(own?.['head']).toBe(((published?.['head'] as number) - 49 * 256 * 27) / 4 + 49 * 256 * 27);
  });
});

describe('LocalMIM wrapped by pr-mim', () => {
  const small = { patchSize: 4, width: 8, depth: 4, taps: [1, 2, 3, 4], heads: 2, decoderWidth: 8, decoderHeads: 2 };
  const image = { height: 16, width: 16, channels: 3 };

  it('aggregates each branch by a convolution of its own', () => {
    const added = Object.keys(localMimOf(image, small, { throw: 0.5 }).params()).filter((name) => name.startsWith('prmim.'));
    expect(added).toEqual([0, 1, 2, 3].flatMap((k) => [`prmim.local${k}.conv.weight`, `prmim.local${k}.conv.bias`]));
  });

  it.each(['random', 'furthest', 'running-cell', 'amt', 'amt-throw'] as const)('takes V, K and T from the counting rule with sampling: %s', (sampling) => {
    const { sampler, grid } = localMimOf(image, small, { throw: 0.5, sampling });
    expect(sampler.counts(grid)).toEqual({ visible: 4, retained: 4, thrown: 8 });
  });

  it('refuses mask tokens in visible cells, where one head joins tokens', () => {
    expect(() => localMimOf(image, small, { throw: 0.5, sampling: 'running-cell', variant: 'faithful', reconstruction: 'partial' })).toThrow(/branch 'local3' does not predict token by token/);
  });

  it('is refused with Swin, whose windows need whole grids', () => {
    const swin = { arch: 'swin', patchSize: 2, width: 4, depth: [2, 1, 1], heads: [1, 2, 2], window: 4, decoderWidth: 16, decoderHeads: 2, maskRatio: 0.3 };
    for (const reconstruction of ['progressive', 'partial'] as const) {
      expect(() => localMimOf(image, swin, { throw: 0.25, reconstruction })).toThrow(/branch 'local0' gives tokens for the whole grid, so there is nothing to throw or to reconstruct/);
    }
    expect(() => localMimOf(image, swin, { throw: 0 })).not.toThrow();
  });

  it('refuses a norm or head of their own for thrown tokens, since one head joins tokens', () => {
    expect(() => localMimOf(image, small, { throw: 0.5, shareHead: false })).toThrow(/branch 'local3' does not predict token by token/);
    expect(() => localMimOf(image, { ...small, scales: [4, 2, 1], taps: [1, 2, 4] }, { throw: 0.5, shareHead: false })).not.toThrow();
  });
});
