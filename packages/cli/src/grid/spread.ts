/** A figure over several seeds. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation over the seeds, with n - 1 below; absent for one seed. */
  readonly spread?: number;
  /** How many. */
  readonly seeds: number;
}

/** Mean and deviation; undefined where there is nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const seeds = values.length;
  if (seeds === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / seeds;
  if (seeds === 1) return { mean, seeds };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / (seeds - 1)), seeds };
}
