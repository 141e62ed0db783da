/** The largest entries of a row, largest first; equal ones in the order of their columns. */
export interface TopK {
  readonly values: Float32Array;
  readonly columns: Int32Array;
}

/**
 * Finds the `k` largest of the `length` entries of `data` from `start`, into `out` (whose arrays have k entries).
 * One pass with a short sorted list: nearly every entry is settled by one comparison.
 */
export function topK(data: Float32Array, start: number, length: number, k: number, out: TopK): void {
  const { values, columns } = out;
  let found = 0;
  let least = -Infinity;
  for (let column = 0; column < length; column++) {
    const value = data[start + column] as number;
    if (found === k && value <= least) continue;
    let at = found < k ? found++ : k - 1;
    for (; at > 0 && (values[at - 1] as number) < value; at--) {
      values[at] = values[at - 1] as number;
      columns[at] = columns[at - 1] as number;
    }
    values[at] = value;
    columns[at] = column;
    least = values[found - 1] as number;
  }
}
