import { definePlugin, type MethodPlugin } from '@mimlab/core';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { complaint, expectComplaints, toy, type ToyConfig } from '../toy-method.test-support.js';

const VALUES = 'its configuration has a value for every key it declares';
const STORED = 'its configuration survives being stored and read back';
const UNKNOWN = 'it refuses a key it does not know, by name';
const EXPLAINED = 'it explains every key to editors';

const maskRatio = z.number().default(0.75).describe('Share of hidden tokens.');
/** The toy's schema with one more key. */
const withKey = (key: z.ZodType): { readonly schema: z.ZodType<ToyConfig> } => ({ schema: z.strictObject({ maskRatio, more: key }) as unknown as z.ZodType<ToyConfig> });
/** A schema that `definePlugin` would refuse, or cannot look into. */
const around = (configSchema: z.ZodType): MethodPlugin<ToyConfig> => ({ ...toy(), configSchema: configSchema as z.ZodType<ToyConfig> });

expectComplaints({
  'turns a key into something that JSON cannot hold': {
    broken: withKey(z.record(z.string(), z.number()).default({ a: 1 }).transform((ratios) => new Map(Object.entries(ratios)))),
    check: STORED,
    says: /Map\(1\).* is stored as .*"more":\{\}.* keep to what JSON can hold/s,
  },
  'cannot read back what it parsed': {
    broken: withKey(z.number().default(1).transform(String)),
    check: STORED,
    says: /expected number, received string/,
  },
  'lets unknown keys pass one level down': {
    broken: withKey(z.object({ width: z.number().describe('Width.') }).default({ width: 1 }).describe('More.')),
    check: UNKNOWN,
    says: /an unknown key of more is accepted in silence/,
  },
  'keeps unknown keys one level down': {
    broken: withKey(z.looseObject({ width: z.number().describe('Width.') }).default({ width: 1 }).describe('More.')),
    check: UNKNOWN,
    says: /an unknown key of more is accepted in silence/,
  },
  'leaves a key one level down unexplained': {
    broken: withKey(z.strictObject({ width: z.number().default(1) }).prefault({}).describe('More.')),
    check: EXPLAINED,
    says: /no description for width of more: add/,
  },
  'leaves a key of an alternative unexplained': {
    broken: withKey(z.union([z.literal('none'), z.strictObject({ width: z.number() })]).default('none').describe('More.')),
    check: EXPLAINED,
    says: /no description for width of more/,
  },
});

it('a schema that gives no object is noticed', async () => {
  expect(await complaint(around(z.strictObject({ maskRatio }).transform(({ maskRatio: ratio }) => ratio)), VALUES)).toMatch(/parses to something that is no object/);
});

it('a schema that drops unknown keys is noticed, though definePlugin cannot see into it', async () => {
  expect(await complaint(around(z.object({ maskRatio }).transform((config) => config)), UNKNOWN)).toBe('an unknown key is accepted in silence: use z.strictObject');
});

it('an error that does not name the unknown key is noticed', async () => {
  const vague = z.looseObject({ maskRatio }).refine((config) => Object.keys(config).length < 2, 'something is wrong');
  expect(await complaint(around(vague), UNKNOWN)).toMatch(/does not name the unknown key/);
});

it('maps with free keys are no mistake', async () => {
  const plugin = toy(withKey(z.record(z.string(), z.number()).default({}).describe('Weights by name.')));
  expect(await complaint(plugin, UNKNOWN)).toBeUndefined();
  expect(await complaint(plugin, EXPLAINED)).toBeUndefined();
  expect(await complaint(plugin, STORED)).toBeUndefined();
});

it('a key that has to be given is no mistake where it is given', async () => {
  const plugin = definePlugin({ ...toy(), configSchema: z.strictObject({ maskRatio: z.number().describe('Share of hidden tokens.') }) });
  expect(await complaint(plugin, VALUES, { config: { maskRatio: 0.5 } })).toBeUndefined();
  expect(await complaint(plugin, VALUES)).toMatch(/expected number, received undefined/);
});
