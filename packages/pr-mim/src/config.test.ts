import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PrMimConfig, type PrMimInput } from './config.js';

const problems = (input: unknown): string[] => {
  const result = PrMimConfig.safeParse(input);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
};

describe('defaults', () => {
  test('an empty configuration is the method of the paper at γ 0.5', () => {
    expect(PrMimConfig.parse({})).toEqual({
      throw: 0.5,
      throwBase: 'all',
      throwRounding: 'floor',
      throwUnit: 'token',
      sampling: 'furthest',
      criterion: 'max-min',
      anchors: 'masked',
      tieBreak: 'masked-order',
      firstToken: 'random',
      reconstruction: 'progressive',
      merge: 'thrown-only',
      aggregator: { kind: 'dwconv', kernel: 7, init: 'host', bias: true },
      fill: 'zero',
      normalizeByCount: false,
      source: 'visible+retained',
      shareNorm: true,
      shareHead: true,
      stopGradient: 'none',
      lossWeights: { retained: 1, thrown: 1 },
    });
  });
  test('partial reconstruction with random sampling has few options', () => {
    expect(PrMimConfig.parse({ reconstruction: 'partial', sampling: 'random' })).toEqual({
      throw: 0.5,
      throwBase: 'all',
      throwRounding: 'floor',
      throwUnit: 'token',
      sampling: 'random',
      reconstruction: 'partial',
      predictTokens: 'retained',
    });
  });
  test('the running cell retains by half cells, and follows the counting rule', () => {
    expect(PrMimConfig.parse({ sampling: 'running-cell' })).toMatchObject({ variant: 'count-matched', cellRatio: 0.5, reconstruction: 'progressive' });
    expect(PrMimConfig.parse({ sampling: 'running-cell', variant: 'faithful' })).not.toHaveProperty('cellRatio');
  });
  test('AMT looks at attention from epoch 40 on every 40 epochs', () => {
    const refresh = { refreshFrom: 40, refreshEvery: 40, mapCrop: 'crop' };
    expect(PrMimConfig.parse({ sampling: 'amt' })).toMatchObject({ variant: 'count-matched', ...refresh });
    expect(PrMimConfig.parse({ sampling: 'amt' })).not.toHaveProperty('amtMaskRatio');
    expect(PrMimConfig.parse({ sampling: 'amt', variant: 'faithful', throw: 0.4 })).toMatchObject({ amtMaskRatio: 0.45, ...refresh });
    expect(PrMimConfig.parse({ sampling: 'amt-throw' })).toMatchObject(refresh);
  });
  test.each([
    ['avgpool', { kind: 'avgpool', kernel: 7, countKnown: false }],
    ['convnext', { kind: 'convnext', kernel: 7, scale: 1 }],
    ['transformer', { kind: 'transformer' }],
  ] as const)('%s has settings of its own', (kind, aggregator) => {
    expect(PrMimConfig.parse({ aggregator: { kind } }).aggregator).toEqual(aggregator);
  });
  test('a parsed configuration parses to itself', () => {
    const inputs: PrMimInput[] = [{}, { reconstruction: 'partial' }, { reconstruction: 'subset', sampling: 'random' }, { aggregator: { kind: 'avgpool' } }, { aggregator: { kind: 'none' } }, { lossWeights: { thrown: 0.5 } }, { sampling: 'running-cell' }, { sampling: 'amt', variant: 'faithful' }, { sampling: 'amt-throw', reconstruction: 'partial' }];
    for (const input of inputs) {
      const once = PrMimConfig.parse(input);
      expect(PrMimConfig.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
    }
  });
});

describe('options without meaning are refused, and say what they would need', () => {
  test.each([
    [{ sampling: 'random', criterion: 'max-sum' }, 'criterion', 'sampling: furthest'],
    [{ sampling: 'random', anchors: 'masked' }, 'anchors', 'sampling: furthest'],
    [{ sampling: 'random', tieBreak: 'random' }, 'tieBreak', 'sampling: furthest'],
    [{ sampling: 'random', firstToken: 'random' }, 'firstToken', 'sampling: furthest'],
    [{ reconstruction: 'partial', aggregator: { kind: 'dwconv' } }, 'aggregator', 'reconstruction: progressive'],
    [{ reconstruction: 'subset', aggregator: {} }, 'aggregator', 'reconstruction: progressive'],
    [{ reconstruction: 'partial', merge: 'residual' }, 'merge', 'reconstruction: progressive'],
    [{ reconstruction: 'partial', lossWeights: {} }, 'lossWeights', 'reconstruction: progressive'],
    [{ aggregator: { kind: 'none' }, fill: 'zero' }, 'fill', 'an aggregator other than none'],
    [{ aggregator: { kind: 'none', kernel: 3 } }, 'aggregator.kernel', 'aggregator.kind: dwconv, avgpool, convnext'],
    [{ aggregator: { kind: 'none' }, source: 'retained' }, 'source', 'an aggregator other than none'],
    [{ aggregator: { kind: 'transformer', kernel: 3 } }, 'aggregator.kernel', 'aggregator.kind: dwconv, avgpool, convnext'],
    [{ aggregator: { kind: 'avgpool', init: 'mean' } }, 'aggregator.init', 'aggregator.kind: dwconv'],
    [{ aggregator: { kind: 'convnext', bias: false } }, 'aggregator.bias', 'aggregator.kind: dwconv'],
    [{ aggregator: { countKnown: true } }, 'aggregator.countKnown', 'aggregator.kind: avgpool'],
    [{ aggregator: { scale: 1 } }, 'aggregator.scale', 'aggregator.kind: convnext'],
    [{ aggregator: { kind: 'avgpool' }, normalizeByCount: true }, 'normalizeByCount', 'aggregator.kind: dwconv'],
    [{ predictTokens: 'sequence' }, 'predictTokens', 'reconstruction: partial or subset'],
    [{ reconstruction: 'partial', shareNorm: true }, 'shareNorm', 'reconstruction: progressive'],
    [{ reconstruction: 'partial', shareHead: true }, 'shareHead', 'reconstruction: progressive'],
    [{ reconstruction: 'partial', stopGradient: 'none' }, 'stopGradient', 'reconstruction: progressive'],
    [{ variant: 'faithful' }, 'variant', 'sampling: running-cell, amt'],
    [{ sampling: 'amt-throw', variant: 'count-matched' }, 'variant', 'sampling: running-cell, amt'],
    [{ sampling: 'amt', cellRatio: 0.5 }, 'cellRatio', 'sampling: running-cell'],
    [{ sampling: 'running-cell', variant: 'faithful', cellRatio: 0.5 }, 'cellRatio', 'variant: count-matched'],
    [{ sampling: 'amt', amtMaskRatio: 0.4 }, 'amtMaskRatio', 'variant: faithful'],
    [{ sampling: 'running-cell', refreshFrom: 0 }, 'refreshFrom', 'sampling: amt, amt-throw'],
    [{ refreshEvery: 1 }, 'refreshEvery', 'sampling: amt, amt-throw'],
    [{ sampling: 'random', mapCrop: 'released' }, 'mapCrop', 'sampling: amt, amt-throw'],
  ])('%j', (input, key, needed) => {
    const found = problems(input);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${key}: has no meaning here`);
    expect(found[0]).toContain(needed);
  });
  test('all of them are reported at once', () => {
    expect(problems({ sampling: 'random', criterion: 'max-sum', reconstruction: 'partial', merge: 'residual', fill: 'zero' })).toHaveLength(3);
  });
});

describe('contradictions', () => {
  test.each([
    [{ firstToken: 'farthest' }, 'firstToken: farthest needs anchors: masked+visible'],
    [{ normalizeByCount: true, fill: 'mask-token' }, 'normalizeByCount: counting known cells needs fill: zero'],
    [{ aggregator: { kind: 'avgpool', countKnown: true }, fill: 'mask-token' }, 'aggregator.countKnown: counting known cells needs fill: zero'],
    [{ sampling: 'amt', variant: 'faithful', reconstruction: 'subset' }, 'reconstruction: loss subsetting needs the counts of the counting rule'],
    [{ sampling: 'running-cell', variant: 'faithful', throwBase: 'masked' }, 'throwBase: variant: faithful counts as released'],
    [{ sampling: 'amt', variant: 'faithful', throwRounding: 'ceil' }, 'throwBase: variant: faithful counts as released'],
    [{ sampling: 'running-cell', variant: 'faithful', throwUnit: 'mask-unit' }, 'throwUnit: the running cell as released works on single tokens'],
    [{ lossWeights: { retained: 0, thrown: 0 } }, 'lossWeights: one of the two weights must be above 0'],
  ])('%j', (input, message) => {
    expect(problems(input).join('\n')).toContain(message);
  });
  test('farthest beside its anchors is fine', () => {
    expect(problems({ firstToken: 'farthest', anchors: 'masked+visible' })).toEqual([]);
  });
});

describe('values', () => {
  test.each([
    [{ throw: -0.1 }, 'throw'],
    [{ throw: 1 }, 'throw'],
    [{ throw: '0.5' }, 'throw'],
    [{ sampling: 'nearest' }, 'sampling'],
    [{ throwUnit: 'pixel' }, 'throwUnit'],
    [{ sampling: 'running-cell', cellRatio: 0.2 }, 'cellRatio'],
    [{ sampling: 'amt', refreshFrom: -1 }, 'refreshFrom'],
    [{ sampling: 'amt', refreshEvery: 0 }, 'refreshEvery'],
    [{ sampling: 'amt', variant: 'faithful', amtMaskRatio: 1 }, 'amtMaskRatio'],
    [{ aggregator: { kernel: 4 } }, 'aggregator.kernel: must be odd'],
    [{ aggregator: { kernel: 2.5 } }, 'aggregator.kernel'],
    [{ aggregator: { kind: 'convnext', scale: 0 } }, 'aggregator.scale'],
    [{ lossWeights: { thrown: -1 } }, 'lossWeights.thrown'],
    [{ thorw: 0.5 }, 'Unrecognized key: "thorw"'],
    [{ aggregator: { kernl: 3 } }, 'Unrecognized key: "kernl"'],
  ])('%j is refused', (input, message) => {
    expect(problems(input).join('\n')).toContain(message);
  });
  test('every key describes itself in the JSON schema', () => {
    const schema = z.toJSONSchema(PrMimConfig, { io: 'input' });
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties ?? {})).toHaveLength(26);
    for (const property of Object.values(schema.properties ?? {})) expect((property as { description?: string }).description).toBeTruthy();
  });
});
