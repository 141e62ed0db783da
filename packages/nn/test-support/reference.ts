/** Plain double-precision layers on nested arrays, to compare against. */
export type Matrix = number[][];

export const toMatrix = (data: ArrayLike<number>, columns: number): Matrix =>
  Array.from({ length: data.length / columns }, (_, r) => Array.from({ length: columns }, (_, c) => data[r * columns + c] as number));

export const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] as number[]).map((_, c) => row.reduce((sum, value, i) => sum + value * ((b[i] as number[])[c] as number), 0)));

export const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((value, c) => value + ((b[r] as number[])[c] as number)));

export const affine = (x: Matrix, weight: Matrix, bias: readonly number[]): Matrix =>
  product(x, weight).map((row) => row.map((value, c) => value + (bias[c] as number)));

export const layerNormOf = (x: Matrix, gain: readonly number[], offset: readonly number[], epsilon: number): Matrix =>
  x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value, c) => ((value - mean) / Math.sqrt(variance + epsilon)) * (gain[c] as number) + (offset[c] as number));
  });

/** erf by its Taylor series; exact to double precision for the small arguments of the tests. */
export function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const geluOf = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** Attention of one sequence over fused rows [q | k | v]. */
export function attentionOf(qkv: Matrix, heads: number): Matrix {
  const width = (qkv[0] as number[]).length / 3;
  const head = width / heads;
  const out = qkv.map(() => new Array<number>(width).fill(0));
  for (let h = 0; h < heads; h++) {
    const slice = (part: number): Matrix => qkv.map((row) => row.slice(part * width + h * head, part * width + (h + 1) * head));
    const [q, k, v] = [slice(0), slice(1), slice(2)];
    q.forEach((query, i) => {
      const scores = k.map((key) => query.reduce((sum, value, c) => sum + value * (key[c] as number), 0) / Math.sqrt(head));
      const exponentials = scores.map((score) => Math.exp(score - Math.max(...scores)));
      const total = exponentials.reduce((a, b) => a + b, 0);
      exponentials.forEach((e, j) => {
        const row = out[i] as number[];
        for (let c = 0; c < head; c++) row[h * head + c] = (row[h * head + c] as number) + (e / total) * ((v[j] as number[])[c] as number);
      });
    });
  }
  return out;
}
