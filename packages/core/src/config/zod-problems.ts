import type { z } from 'zod';
import { didYouMean } from '../nearest.js';
import type { ConfigPath } from './config-tree.js';
import { knownKeys } from './schema-keys.js';

type Issue = z.core.$ZodIssue;

/** A mistake found by a schema. `path` starts at the value that was parsed. */
export interface SchemaProblem {
  readonly path: ConfigPath;
  readonly text: string;
  /** The key itself is the mistake, not its value. */
  readonly atKey: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  safeint: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'null',
};
const UNITS: Readonly<Record<string, string>> = { array: 'item', string: 'letter' };

/** A value as a person wrote it, cut where it gets long. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value)).replace(/^"(.*)"$/s, `'$1'`);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The issues of a failed parse in the words of a configuration. */
export function schemaProblems(error: z.core.$ZodError, schema: z.core.$ZodType, value: unknown): SchemaProblem[] {
  return error.issues.flatMap((issue) => described(issue, schema, value));
}

function described(issue: Issue, schema: z.core.$ZodType, root: unknown): SchemaProblem[] {
  const path = issue.path as ConfigPath;
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path, root);
    return issue.keys.map((key) => {
      const hint = didYouMean(key, known);
      const listed = known.length === 0 ? '' : `; known keys: ${known.join(', ')}`;
      return { path: [...path, key], text: `unknown key${hint === '' ? listed : hint}`, atKey: true };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return describedUnion(issue, schema, root, value);
  const text = value === undefined ? `missing, expected ${expectation(issue)}` : `${reason(issue)}, got ${shownValue(value)}, expected ${expectation(issue)}${hint(issue, value)}`;
  return [{ path, text: issue.code === 'custom' ? customText(issue, value) : text, atKey: false }];
}

/** A rule across keys says itself what is wrong; the value helps only where it is a single one. */
function customText(issue: Issue, value: unknown): string {
  return typeof value === 'object' || value === undefined ? issue.message : `${issue.message}, got ${shownValue(value)}`;
}

function describedUnion(issue: Extract<Issue, { code: 'invalid_union' }>, schema: z.core.$ZodType, root: unknown, value: unknown): SchemaProblem[] {
  const path = issue.path as ConfigPath;
  const here = (branch: readonly Issue[]): boolean => branch.some(({ path: inner, code }) => inner.length === 0 && code !== 'unrecognized_keys');
  const inside = issue.errors.filter((branch) => !here(branch));
  if (inside.length === 0) {
    const expected = [...new Set(issue.errors.flatMap((branch) => branch.filter((inner) => inner.path.length === 0).map(expectation)))].join(' or ');
    const found = value === undefined ? 'missing' : `wrong value, got ${shownValue(value)}`;
    const literals = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
    return [{ path, text: `${found}, expected ${expected}${typeof value === 'string' ? didYouMean(value, literals) : ''}`, atKey: false }];
  }
  // The alternative that the value most likely means: its literals (`kind: ...`) fit, then the one with the fewest mistakes.
  const misfits = (branch: readonly Issue[]): number => branch.filter(({ code }) => code === 'invalid_value').length * 1000 + branch.length;
  const meant = inside.reduce((best, branch) => (misfits(branch) < misfits(best) ? branch : best));
  return meant.flatMap((inner) => described({ ...inner, path: [...path, ...inner.path] } as Issue, schema, root));
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  return path.reduce((value: unknown, step) => (value as Record<string | number, unknown> | null | undefined)?.[step], root);
}

function reason(issue: Issue): string {
  if (issue.code === 'invalid_type') return 'wrong type';
  if (issue.code === 'too_small') return issue.origin === 'array' || issue.origin === 'string' ? 'too short' : 'too small';
  if (issue.code === 'too_big') return issue.origin === 'array' || issue.origin === 'string' ? 'too long' : 'too large';
  return 'wrong value';
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return NAMES[issue.expected] ?? `a ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1 ? shownValue(issue.values[0]) : `one of ${issue.values.map(shownValue).join(', ')}`;
    case 'too_small':
      return `${bound(issue, 'more than', 'at least')} ${issue.minimum}${counted(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `${bound(issue, 'less than', 'at most')} ${issue.maximum}${counted(issue.origin, issue.maximum)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `text of the form ${issue.format}` : `text that fits ${issue.pattern}`;
    case 'invalid_union':
      return optionsOf(issue).length === 0 ? 'another value' : `one of ${optionsOf(issue).map(shownValue).join(', ')}`;
    case 'custom':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
      return issue.message;
  }
}

const bound = ({ exact, inclusive }: { exact?: boolean; inclusive?: boolean }, exclusive: string, within: string): string => {
  if (exact === true) return 'exactly';
  return inclusive === false ? exclusive : within;
};

/** ` items` behind the length of a list; nothing behind a plain number. */
const counted = (origin: string, count: number | bigint): string => {
  const unit = UNITS[origin];
  if (unit === undefined) return '';
  return count === 1 ? ` ${unit}` : ` ${unit}s`;
};

/** Values that a discriminator may have. */
const optionsOf = (issue: Extract<Issue, { code: 'invalid_union' }>): readonly unknown[] => ('options' in issue ? (issue.options ?? []) : []);

/** The nearest allowed word, where words are what is allowed. */
function hint(issue: Issue, value: unknown): string {
  if (typeof value !== 'string') return '';
  if (issue.code === 'invalid_value') return didYouMean(value, issue.values.map(String));
  if (issue.code === 'invalid_union') return didYouMean(value, optionsOf(issue).map(String));
  return '';
}
