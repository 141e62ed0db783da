import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differingKeys, flowText } from './differing-keys.js';

it('lists keys whose values differ, with the value of every run', () => {
  const runs = [
    { seed: 0, train: { epochs: 4, batch: 128 } },
    { seed: 1, train: { epochs: 4, batch: 64 } },
  ];
  expect(differingKeys(runs)).toEqual([
    { key: 'seed', values: [0, 1] },
    { key: 'train.batch', values: [128, 64] },
  ]);
});

it('goes into lists of sections of one length', () => {
  expect(differingKeys([{ wrap: [{ plugin: 'pr-mim', throw: 0.5 }] }, { wrap: [{ plugin: 'pr-mim', throw: 0.65 }] }])).toEqual([{ key: 'wrap.0.throw', values: [0.5, 0.65] }]);
});

it('takes a section that a run lacks as one key', () => {
  const section = { plugin: 'pr-mim', throw: 0.5 };
  expect(differingKeys([{ wrap: [section] }, { wrap: [] }])).toEqual([{ key: 'wrap', values: [[section], []] }]);
});

it('takes a list of numbers as a whole', () => {
  expect(differingKeys([{ betas: [0.9, 0.95] }, { betas: [0.9, 0.999] }])).toEqual([{ key: 'betas', values: [[0.9, 0.95], [0.9, 0.999]] }]);
});

it('says nothing of where results go, and of keys that are absent or undefined alike', () => {
  expect(differingKeys([{ output: 'a', lr: undefined }, { output: 'b' }])).toEqual([]);
});

it('values that a run lacks are undefined', () => {
  expect(differingKeys([{ lr: 0.1 }, {}])).toEqual([{ key: 'lr', values: [0.1, undefined] }]);
});

it('writes values in one line as YAML does', () => {
  expect(flowText([{ plugin: 'pr-mim', throw: 0.5, on: true }])).toBe('[{ plugin: pr-mim, throw: 0.5, on: true }]');
});

it('a configuration differs from itself in nothing, in whatever order its keys stand', () => {
  const tree = fc.letrec<{ node: unknown }>((tie) => ({ node: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.string(), fc.array(tie('node'), { maxLength: 3 }), fc.dictionary(fc.stringMatching(/^[a-z]+$/), tie('node'), { maxKeys: 3 })) })).node;
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]+$/), tree, { maxKeys: 4 }), (config) => {
      expect(differingKeys([config, Object.fromEntries(Object.entries(config).reverse()), config])).toEqual([]);
    }),
  );
});

it('lists of sections of other lengths are one key', () => {
  const [one, two] = [[{ plugin: 'a' }], [{ plugin: 'a' }, { plugin: 'b' }]];
  expect(differingKeys([{ wrap: one }, { wrap: two }])).toEqual([{ key: 'wrap', values: [one, two] }]);
});

it('a section beside a value is one key', () => {
  expect(differingKeys([{ augment: { kind: 'none' } }, { augment: 'none' }])).toEqual([{ key: 'augment', values: [{ kind: 'none' }, 'none'] }]);
});

it('says nothing of the output alone, not of keys within sections that are called so', () => {
  expect(differingKeys([{ head: { output: 1 } }, { head: { output: 2 } }])).toEqual([{ key: 'head.output', values: [1, 2] }]);
});

it('a single configuration differs in nothing', () => {
  expect(differingKeys([{ seed: 1 }])).toEqual([]);
});
