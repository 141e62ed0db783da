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
