/** Directions of the lower edges of the orientation bins: edge k lies at the angle k * pi / bins. */
export interface OrientationEdges {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/**
 * Edges of `bins` equal bins over half a turn. A gradient belongs to the last edge it has reached, which is asked by
 * the sign of a cross product instead of an arc tangent: every backend has it, and angles of 0, 45 and 90 degrees, which
 * flat directions of an image hit exactly, are told without rounding.
 */
export function orientationEdges(bins: number): OrientationEdges {
  const angles = Float64Array.from({ length: bins }, (_, k) => (k * Math.PI) / bins);
  const cos = angles.map((angle) => Math.cos(angle));
  const sin = angles.map((angle) => Math.sin(angle));
  for (let k = 0; k < bins; k++) {
    if (2 * k === bins) cos[k] = 0;
    if (4 * k === bins) cos[k] = sin[k] = Math.SQRT1_2;
    if (4 * k === 3 * bins) sin[k] = -(cos[k] = -Math.SQRT1_2);
  }
  return { cos, sin };
}

/**
 * Bin of a gradient: floor(bins * phi / pi) with phi = atan2(gx, gy) modulo half a turn. The angle counts from the
 * vertical axis and has no sign; gx = 0 is bin 0.
 */
export function orientationBin(gx: number, gy: number, { cos, sin }: OrientationEdges): number {
  if (gx === 0) return 0;
  const x = gx < 0 ? -gx : gx;
  const y = gx < 0 ? -gy : gy;
  let low = 0;
  let high = cos.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x * (cos[middle] as number) - y * (sin[middle] as number) >= 0) low = middle;
    else high = middle;
  }
  return low;
}
