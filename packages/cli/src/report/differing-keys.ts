import type { StoredConfig } from '@mimlab/train';

/** A key that not all runs have the same value of. */
export interface DifferingKey {
  /** Path as in `--set`: `wrap.0.throw`. */
  readonly key: string;
  /** One a run; undefined where the run's configuration lacks the key. */
  readonly values: readonly unknown[];
}

/** Where results are put says nothing about them. */
const IGNORED = new Set(['output', 'extends']);

type Branch = Readonly<Record<string, unknown>>;

const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists of sections (`wrap`) are compared one by one; lists of values (`betas`) as a whole, and so are lists of other lengths. */
const isListOfBranches = (value: unknown): value is readonly Branch[] => Array.isArray(value) && value.length > 0 && value.every(isBranch);

const sameText = (values: readonly unknown[]): boolean => new Set(values.map((value) => JSON.stringify(value))).size === 1;

/** Keys whose values differ between resolved configurations, in the order they stand in. A section that a run lacks is one key. */
export function differingKeys(configs: readonly StoredConfig[]): DifferingKey[] {
  // As they come back from a file: absent and undefined are one.
  const plain = JSON.parse(JSON.stringify(configs)) as Branch[];
  return below('', plain).filter(({ key }) => !IGNORED.has(key));
}

function compared(key: string, values: readonly unknown[]): DifferingKey[] {
  if (values.every(isBranch)) return below(`${key}.`, values);
  if (values.every(isListOfBranches) && new Set(values.map(({ length }) => length)).size === 1) {
    return (values[0] as readonly Branch[]).flatMap((_, index) => below(`${key}.${index}.`, values.map((list) => list[index] as Branch)));
  }
  return sameText(values) ? [] : [{ key, values }];
}

function below(prefix: string, branches: readonly Branch[]): DifferingKey[] {
  const names = [...new Set(branches.flatMap((branch) => Object.keys(branch)))];
  return names.flatMap((name) => compared(prefix + name, branches.map((branch) => branch[name])));
}

/** A value as YAML writes it in one line. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (isBranch(value)) return `{ ${Object.entries(value).map(([name, each]) => `${name}: ${flowText(each)}`).join(', ')} }`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
