import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { knownKeys, isStrictObject } from './schema-keys.js';
import { schemaProblems, shownValue } from './zod-problems.js';

/** The problems of a value, as `path: text`. */
function problems(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : schemaProblems(parsed.error, schema, value).map(({ path, text }) => `${path.join('.')}: ${text}`);
}

describe('a problem is said in the words of a configuration', () => {
  const cases: [string, z.ZodType, unknown, string][] = [
    ['a number that is text', z.number(), 'x', `wrong type, got 'x', expected a number`],
    ['text that is a number', z.string(), 3, 'wrong type, got 3, expected text'],
    ['a switch that is a word', z.boolean(), 'on', `wrong type, got 'on', expected true or false`],
    ['a list that is a map', z.array(z.number()), { a: 1 }, 'wrong type, got {"a":1}, expected a list'],
    ['a fraction for a whole number', z.int(), 1.5, 'wrong type, got 1.5, expected a whole number'],
    ['an exclusive lower bound', z.number().gt(0), 0, 'too small, got 0, expected more than 0'],
    ['an inclusive lower bound', z.number().min(1), 0, 'too small, got 0, expected at least 1'],
    ['an exclusive upper bound', z.number().lt(1), 1, 'too large, got 1, expected less than 1'],
    ['an inclusive upper bound', z.number().max(1), 2, 'too large, got 2, expected at most 1'],
    ['a step', z.number().multipleOf(4), 6, 'wrong value, got 6, expected a multiple of 4'],
    ['an exact length', z.array(z.number()).length(2), [1], 'too short, got [1], expected exactly 2 items'],
    ['a longest length', z.array(z.number()).max(1), [1, 2], 'too long, got [1,2], expected at most 1 item'],
    ['a pattern', z.string().regex(/^a+$/), 'b', `wrong value, got 'b', expected text that fits /^a+$/`],
    ['one literal', z.literal('x'), 'y', `wrong value, got 'y', expected 'x'`],
    ['a missing value', z.number(), undefined, 'missing, expected a number'],
    ['a word or a number', z.union([z.literal('auto'), z.number()]), 'auo', `wrong value, got 'auo', expected 'auto' or a number; did you mean 'auto'?`],
    ['a rule of its own', z.number().refine((value) => value % 2 === 1, 'must be odd'), 4, 'must be odd, got 4'],
  ];
  it.each(cases)('%s', (_, schema, value, text) => {
    expect(problems(z.strictObject({ key: schema }), value === undefined ? {} : { key: value })).toEqual([`key: ${text}`]);
  });

  it('a rule across keys stands for itself', () => {
    const schema = z.strictObject({ a: z.number(), b: z.number() }).refine(({ a, b }) => a < b, { message: 'a must lie below b', path: ['a'] });
    expect(problems(schema, { a: 2, b: 1 })).toEqual(['a: a must lie below b, got 2']);
    expect(problems(schema.refine(({ a }) => a > 5, 'nothing fits'), { a: 2, b: 3 })).toEqual([': nothing fits']);
  });

  it('of alternatives without a discriminator, the one with the fitting literals is meant', () => {
    const schema = z.union([z.strictObject({ kind: z.literal('a'), n: z.number() }), z.strictObject({ kind: z.literal('b'), m: z.number() })]);
    expect(problems(z.strictObject({ key: schema }), { key: { kind: 'b', m: 'x' } })).toEqual([`key.m: wrong type, got 'x', expected a number`]);
    expect(problems(z.strictObject({ key: schema }), { key: { kind: 'b', m: 1, o: 1 } })).toEqual(['key.o: unknown key; known keys: kind, m']);
  });
});

describe('shownValue', () => {
  it('quotes text and leaves numbers', () => expect([shownValue('a'), shownValue(3), shownValue(NaN), shownValue(null)]).toEqual([`'a'`, '3', 'NaN', 'null']));
  it('cuts what is long', () => expect(shownValue('x'.repeat(200))).toHaveLength(60));
});

describe('knownKeys', () => {
  const inner = z.strictObject({ x: z.number(), y: z.number() });
  it.each([
    ['a map', z.strictObject({ a: inner }), ['a'], { a: {} }],
    ['a map with a default', z.strictObject({ a: inner.prefault({ x: 1, y: 1 }) }), ['a'], { a: {} }],
    ['an optional map', z.strictObject({ a: inner.optional() }), ['a'], { a: {} }],
    ['an item of a list', z.strictObject({ a: z.array(inner) }), ['a', 0], { a: [{}] }],
    ['an item of a tuple', z.strictObject({ a: z.tuple([inner]) }), ['a', 0], { a: [{}] }],
    ['an entry of a record', z.strictObject({ a: z.record(z.string(), inner) }), ['a', 'any'], { a: { any: {} } }],
    ['a map that is transformed', z.strictObject({ a: inner.transform((value) => value) }), ['a'], { a: {} }],
    ['a map behind a function', z.strictObject({ a: z.lazy(() => inner) }), ['a'], { a: {} }],
  ])('are found in %s', (_, schema, path, value) => expect(knownKeys(schema, path, value)).toEqual(['x', 'y']));

  it('are those of all alternatives while none is chosen', () => {
    const choice = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('a'), n: z.number() }), z.strictObject({ kind: z.literal('b'), m: z.number() })]);
    expect(knownKeys(choice, [], {})).toEqual(['kind', 'n', 'm']);
    expect(knownKeys(choice, [], { kind: 'b' })).toEqual(['kind', 'm']);
  });

  it('are none for what is no map', () => expect(knownKeys(z.strictObject({ a: z.number() }), ['a', 'b'], { a: 1 })).toEqual([]));
});

describe('isStrictObject', () => {
  it('tells strict objects from loose ones, and knows nothing of others', () => {
    expect([z.strictObject({}), z.object({}), z.looseObject({}), z.strictObject({}).transform(String)].map(isStrictObject)).toEqual([true, false, false, undefined]);
  });
});
