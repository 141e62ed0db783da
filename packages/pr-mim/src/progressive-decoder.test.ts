import { CompositionError, mergeParams, totalMacs, type Branch, type Decoder, type TokenSet } from '@mimlab/core';
import { LATENT, PIXELS } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { PrMimConfig, type PrMimInput } from './config.js';
import { HOST_WIDTH, hostRun, noise, planOf, roughParams, samplePlans, type HostOptions } from './host.fixture.js';
import { progressiveOptions, type ProgressiveOptions } from './progressive-options.js';
import { progressiveDecoder } from './progressive-decoder.js';

const wrapped = (input: PrMimInput = {}, options: HostOptions = {}): Decoder => hostRun({ throw: 0.25, ...input }, options).objective.decoder;
const without = (...fields: (keyof Branch)[]): HostOptions => ({
  branch: (own) => Object.fromEntries(Object.entries(own).filter(([field]) => !fields.includes(field as keyof Branch))) as unknown as Branch,
});
const changed = (change: Partial<Branch>): HostOptions => ({ branch: (own) => ({ ...own, ...change }) });
const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());

describe('the decoder as others see it', () => {
  test('its branches give the whole grid, without class token', () => {
    const [branch] = wrapped().branches;
    expect(branch).toMatchObject({ name: PIXELS, cells: 'grid', cls: false, width: HOST_WIDTH });
  });
  test('the class token goes round the aggregation where the prediction needs it', () => {
    const run = hostRun({ throw: 0.25 }, changed({ predictsCls: true }));
    const { decoder } = run.objective;
    expect(decoder.branches[0]).toMatchObject({ cells: 'grid', cls: true });
    const params = roughParams(run.objective.params());
    const plan = planOf(samplePlans(run, 2), run.grid);
    const decodeWith = (host: Decoder) => host.decode({ [LATENT]: noise([2, 5, 12], 'latent') }, plan, params, { training: true, random: {} })[PIXELS] as TokenSet;
    const [alone, made] = [decodeWith(hostRun().objective.decoder), decodeWith(decoder)];
    expect(made.tokens_BSd.shape).toEqual([2, 16, HOST_WIDTH]);
    expect(numbers(made.cls_B1d as tf.Tensor)).toEqual(numbers(alone.cls_B1d as tf.Tensor));
    expect(decodeWith(wrapped()).cls_B1d).toBeUndefined();
  });
  test('its own parameters come with the prefix prmim.BRANCH', () => {
    const host = Object.keys(hostRun().objective.decoder.params());
    const own = Object.keys(wrapped().params()).filter((name) => !host.includes(name));
    expect(own).toEqual(['prmim.pixels.conv.weight', 'prmim.pixels.conv.bias']);
  });
  test('names that the method uses already are refused', () => {
    const specs = wrapped().params();
    expect(() => mergeParams({ one: specs, two: { 'prmim.pixels.conv.weight': specs['prmim.pixels.conv.weight'] as never } })).toThrow(CompositionError);
  });
  test('its cost is the host’s at the shorter length, and the aggregation', () => {
    const { objective } = hostRun({ throw: 0.25, aggregator: { kernel: 3 } });
    const counts = objective.sampler.counts(objective.grid);
    const host = hostRun().objective.decoder;
    expect(objective.decoder.decodeMacs(counts)).toEqual({ ...host.decodeMacs(counts), aggregator: 9 * HOST_WIDTH * 16 });
    expect(objective.decoder.predictMacs(PIXELS, 16)).toEqual(host.predictMacs(PIXELS, 16));
    expect(objective.macs()['head']).toBe(host.predictMacs(PIXELS, 16)['head']);
  });
  test('own norm or head runs the head twice, a held-back gradient with refined retained tokens the aggregation', () => {
    const head = (input: PrMimInput): number => totalMacs(wrapped(input).predictMacs(PIXELS, 16));
    expect(head({ shareHead: false })).toBe(2 * head({}));
    const counts = { visible: 4, retained: 8, thrown: 4 };
    const aggregation = (input: PrMimInput): number => wrapped(input).decodeMacs(counts)['aggregator'] ?? 0;
    expect(aggregation({ stopGradient: 'known' })).toBe(aggregation({}));
    expect(aggregation({ stopGradient: 'known', merge: 'residual' })).toBe(2 * aggregation({}));
  });
});

describe('a decoder with more branches than the target asks for', () => {
  const inner = hostRun().objective.decoder;
  const [own] = inner.branches as [Branch];
  const set: TokenSet = { tokens_BSd: noise([2, 12, HOST_WIDTH], 'two') as Tensor3D, cells: 'known' };
  const two: Decoder = { ...inner, branches: [own, { ...own, name: 'other', cells: 'grid' }], decode: () => ({ [PIXELS]: set, other: set }) };
  const options = progressiveOptions(PrMimConfig.parse({ throw: 0.25, shareHead: false })) as ProgressiveOptions;
  const run = hostRun({ throw: 0.25 });
  const made = progressiveDecoder(two, run.grid, options, [PIXELS]);

  test('aggregates those it asks for and leaves the others alone', () => {
    expect(made.branches.map(({ name, cls }) => [name, cls])).toEqual([[PIXELS, false], ['other', true]]);
    expect(Object.keys(made.params()).filter((name) => name.includes('other'))).toEqual([]);
    const sets = made.decode({}, planOf(samplePlans(run, 2), run.grid), roughParams(made.params()), { training: true, random: {} });
    expect(sets[PIXELS]?.cells).toBe('grid');
    expect(sets['other']).toBe(set);
  });
  test('each asked branch has an aggregation of its own', () => {
    const both = progressiveDecoder({ ...two, branches: [own, { ...own, name: 'other' }] }, run.grid, options);
    expect(Object.keys(both.params())).toEqual(expect.arrayContaining(['prmim.pixels.conv.weight', 'prmim.other.conv.weight', 'prmim.other.decoder_pred.weight']));
    const counts = { visible: 4, retained: 8, thrown: 4 };
    expect(both.decodeMacs(counts)['aggregator']).toBe(2 * (made.decodeMacs(counts)['aggregator'] as number));
  });
});

describe('what a branch must bring along', () => {
  test.each([
    ['fill: mask-token without a mask token', { fill: 'mask-token' }, without('maskToken'), `branch 'pixels' has no mask token`],
    ['fill: mask-token without positions', { fill: 'mask-token' }, without('positions_Nd'), `branch 'pixels' has no position vectors`],
    ['transformer without positions', { aggregator: { kind: 'transformer' } }, without('positions_Nd'), `branch 'pixels' has no position vectors`],
    ['init host without a rule', {}, without('convInit'), 'does not say how its convolutions start'],
    ['own norm without names', { shareNorm: false }, changed({ normParams: [] }), 'names no parameters of its final norm'],
    ['own head without names', { shareHead: false }, changed({ headParams: [] }), 'names no parameters of its head'],
    ['own head under a wrong name', { shareHead: false }, changed({ headParams: ['head.weight'] }), `names 'head.weight', which is no parameter of the decoder`],
    ['own head where tokens are predicted together', { shareHead: false }, changed({ tokenwise: false }), 'does not predict token by token'],
    ['tokens for the whole grid already, thrown ones left out', { reconstruction: 'partial' }, changed({ cells: 'grid' }), 'gives tokens for the whole grid'],
    ['tokens for the whole grid already', {}, changed({ cells: 'grid' }), 'gives tokens for the whole grid'],
  ] as const)('%s is refused when the run is put together', (_name, input, options, message) => {
    expect(() => wrapped(input as PrMimInput, options)).toThrow(CompositionError);
    expect(() => wrapped(input as PrMimInput, options)).toThrow(message);
  });
  test('the whole grid is fine where nothing is thrown', () => {
    expect(() => wrapped({ throw: 0 }, changed({ cells: 'grid' }))).not.toThrow();
    expect(() => wrapped({ throw: 0, reconstruction: 'partial' }, changed({ cells: 'grid' }))).not.toThrow();
  });
  test("a branch whose final norm is the encoder's can have another one for thrown tokens", () => {
    const decoder = wrapped({ shareNorm: false }, changed({ normParams: ['norm.weight', 'norm.bias'] }));
    expect(Object.keys(decoder.params())).toEqual(expect.arrayContaining(['prmim.pixels.norm.weight', 'prmim.pixels.norm.bias']));
  });
  test('what no option asks for may be missing', () => {
    expect(() => wrapped({}, without('maskToken', 'positions_Nd'))).not.toThrow();
    expect(() => wrapped({ reconstruction: 'partial' }, without('maskToken', 'positions_Nd', 'convInit'))).not.toThrow();
  });
});

// The inner decoder hands back given tokens, to see what becomes of them.
describe('the grid that is aggregated', () => {
  const run = hostRun({ throw: 0.25 });
  const plans = samplePlans(run, 2);
  const plan = planOf(plans, run.grid);
  const params = roughParams(run.objective.params());
  const known = noise([2, 12, HOST_WIDTH], 'known') as Tensor3D;
  const reconstructed = (input: PrMimInput): { grid: number[][][]; set: TokenSet } => {
    const inner = hostRun().objective.decoder;
    const given: Decoder = { ...inner, decode: () => ({ [PIXELS]: { tokens_BSd: known, cells: 'known', cls_B1d: tf.ones([2, 1, HOST_WIDTH]) } }) };
    const options = progressiveOptions(PrMimConfig.parse({ throw: 0.25, ...input })) as ProgressiveOptions;
    const set = progressiveDecoder(given, run.grid, options).decode({}, plan, params, { training: true, random: {} })[PIXELS] as TokenSet;
    return { grid: set.tokens_BSd.arraySync(), set };
  };
  const tokens = known.arraySync();

  test('every known token lies at its own cell, and the class token is gone', () => {
    const { grid, set } = reconstructed({});
    expect(set).toMatchObject({ cells: 'grid' });
    expect(set.cls_B1d).toBeUndefined();
    plans.forEach(({ visible, retained }, b) => [...visible, ...retained].forEach((cell, place) => expect(grid[b]?.[cell]).toEqual(tokens[b]?.[place])));
  });
  test('average pooling of the zero-filled grid makes the thrown tokens', () => {
    const { grid } = reconstructed({ aggregator: { kind: 'avgpool', kernel: 3 } });
    plans.forEach(({ visible, retained, thrown }, b) => {
      const order = [...visible, ...retained];
      for (const cell of thrown) {
        const near = order.map((other, place) => ({ other, place })).filter(({ other }) => Math.abs(Math.floor(other / 4) - Math.floor(cell / 4)) <= 1 && Math.abs((other % 4) - (cell % 4)) <= 1);
        const sum = near.reduce((total, { place }) => total + (tokens[b]?.[place]?.[0] as number), 0);
        expect(grid[b]?.[cell]?.[0]).toBeCloseTo(sum / 9, 5);
      }
    });
  });
  test('source: retained hides the visible tokens from the aggregation, but leaves them on the grid', () => {
    const { grid } = reconstructed({ source: 'retained', aggregator: { kind: 'avgpool', kernel: 9 } });
    plans.forEach(({ visible, retained, thrown }, b) => {
      const sum = retained.reduce((total, _, i) => total + (tokens[b]?.[visible.length + i]?.[0] as number), 0);
      for (const cell of thrown) expect(grid[b]?.[cell]?.[0]).toBeCloseTo(sum / 81, 5);
      visible.forEach((cell, place) => expect(grid[b]?.[cell]).toEqual(tokens[b]?.[place]));
    });
  });
  test('fill: mask-token puts mask token plus position into thrown cells', () => {
    // Merged residually with an aggregation of nothing: what is left is the filled grid itself.
    const zero = Object.fromEntries(['weight', 'bias'].map((name) => [`prmim.pixels.conv.${name}`, tf.zerosLike(params[`prmim.pixels.conv.${name}`] as tf.Tensor)]));
    const inner = hostRun().objective.decoder;
    const given: Decoder = { ...inner, decode: () => ({ [PIXELS]: { tokens_BSd: known, cells: 'known' } }) };
    const options = progressiveOptions(PrMimConfig.parse({ throw: 0.25, fill: 'mask-token', merge: 'residual' })) as ProgressiveOptions;
    const set = progressiveDecoder(given, run.grid, options).decode({}, plan, { ...params, ...zero }, { training: true, random: {} })[PIXELS] as TokenSet;
    const grid = set.tokens_BSd.arraySync();
    const mask = numbers(params['mask_token'] as tf.Tensor);
    const positions = (params['decoder_pos_embed'] as Tensor3D).arraySync()[0] as number[][];
    plans.forEach(({ thrown }, b) => {
      for (const cell of thrown) mask.forEach((value, c) => expect(grid[b]?.[cell]?.[c]).toBeCloseTo(value + (positions[1 + cell]?.[c] as number), 5));
    });
  });
});
