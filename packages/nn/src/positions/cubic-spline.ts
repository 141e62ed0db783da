/**
 * The matrix that takes values at knots to a cubic spline's values at other places: not-a-knot ends, so the two first and
 * the two last pieces are one polynomial each; three knots or fewer carry the polynomial through them. Places beyond the
 * knots are moved to the nearest one.
 * @param knots ascending, n of them
 * @returns one row of n weights for each place
 */
export function splineWeights(knots: readonly number[], places: readonly number[]): Float64Array[] {
  const count = knots.length;
  const at = (i: number): number => knots[i] as number;
  const clamped = places.map((place) => Math.min(Math.max(place, at(0)), at(count - 1)));
  if (count < 4) return clamped.map((place) => lagrangeWeights(knots, place));

  const step = (i: number): number => at(i + 1) - at(i);
  const curvatures = curvatureMatrix(count, step);
  return clamped.map((place) => {
    let i = 0;
    while (i < count - 2 && place > at(i + 1)) i++;
    const left = (at(i + 1) - place) / step(i);
    const right = 1 - left;
    const bend = (share: number): number => ((share ** 3 - share) * step(i) ** 2) / 6;
    const row = Float64Array.from({ length: count }, (_, k) => bend(left) * (curvatures[i]?.[k] as number) + bend(right) * (curvatures[i + 1]?.[k] as number));
    row[i] = (row[i] as number) + left;
    row[i + 1] = (row[i + 1] as number) + right;
    return row;
  });
}

const lagrangeWeights = (knots: readonly number[], place: number): Float64Array =>
  Float64Array.from(knots, (own, i) => knots.reduce((product, other, j) => (i === j ? product : (product * (place - other)) / (own - other)), 1));

/** Second derivatives at the knots as a matrix over the values there: continuity inside, not-a-knot at the ends. */
function curvatureMatrix(count: number, step: (i: number) => number): Float64Array[] {
  const left = Array.from({ length: count }, () => new Float64Array(count));
  const right = Array.from({ length: count }, () => new Float64Array(count));
  const set = (row: Float64Array | undefined, first: number, values: readonly number[]): void => row?.set(values, first);
  for (let i = 1; i < count - 1; i++) {
    const [before, behind] = [step(i - 1), step(i)];
    set(left[i], i - 1, [before, 2 * (before + behind), behind]);
    set(right[i], i - 1, [6 / before, -6 / before - 6 / behind, 6 / behind]);
  }
  // Equal third derivatives on either side of the second and of the last knot but one.
  const end = (row: number, first: number): void => {
    const [before, behind] = [step(first), step(first + 1)];
    set(left[row], first, [behind, -before - behind, before]);
  };
  end(0, 0);
  end(count - 1, count - 3);
  return solved(left, right);
}

/** Gauss-Jordan elimination with partial pivoting; works in place and returns the solution. */
function solved(left: Float64Array[], right: Float64Array[]): Float64Array[] {
  const count = left.length;
  const value = (row: number, column: number): number => left[row]?.[column] as number;
  for (let column = 0; column < count; column++) {
    let pivot = column;
    for (let row = column + 1; row < count; row++) if (Math.abs(value(row, column)) > Math.abs(value(pivot, column))) pivot = row;
    for (const matrix of [left, right]) [matrix[column], matrix[pivot]] = [matrix[pivot] as Float64Array, matrix[column] as Float64Array];
    const scale = value(column, column);
    for (const matrix of [left, right]) matrix[column] = (matrix[column] as Float64Array).map((entry) => entry / scale);
    for (let row = 0; row < count; row++) {
      const factor = value(row, column);
      if (row === column || factor === 0) continue;
      for (const matrix of [left, right]) {
        const from = matrix[column] as Float64Array;
        matrix[row] = (matrix[row] as Float64Array).map((entry, k) => entry - factor * (from[k] as number));
      }
    }
  }
  return right;
}
