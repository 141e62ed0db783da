/**
 * Multiply-accumulates of the forward pass for one image, part by part, under the names that `part()` gives the traced
 * operations. Counted are matrix products (attention's two included) and convolutions; norms, softmax, activations,
 * biases and gathers are not (PR-MIM specification, section 11).
 */
export type MacParts = Readonly<Record<string, number>>;

/** Adds costs part by part. */
export function addMacs(...costs: readonly MacParts[]): MacParts {
  const sum: Record<string, number> = {};
  for (const cost of costs) for (const [name, macs] of Object.entries(cost)) sum[name] = (sum[name] ?? 0) + macs;
  return sum;
}

export const totalMacs = (cost: MacParts): number => Object.values(cost).reduce((sum, macs) => sum + macs, 0);
