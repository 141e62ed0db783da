/** An axis: values to pixels, and where ticks stand. */
export interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Steps that people read easily: 1, 2 or 5 times a power of ten, about `count` of them over the range. */
function niceStep(range: number, count: number): number {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = rough / power;
  return power * (times > 5 ? 10 : times > 2 ? 5 : times > 1 ? 2 : 1);
}

/** Values on the multiples of `step` inside a range, without the dust of adding up. */
function multiples(low: number, high: number, step: number): number[] {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * A linear axis that ends on ticks.
 * @param pixels where its ends lie
 * @param tight ends exactly where the values do
 */
export function linearAxis(low: number, high: number, pixels: readonly [number, number], count: number, tight = false): Axis {
  // A line that never changes, but for the last bits of its numbers, still needs a range around it.
  const [least, most] = high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)) ? [low, high] : [low - Math.max(1e-9, Math.abs(low) * 0.1), high + Math.max(1e-9, Math.abs(high) * 0.1)];
  const step = niceStep(most - least, count);
  const [from, to] = tight ? [least, most] : [Math.floor(least / step + 1e-9) * step, Math.ceil(most / step - 1e-9) * step];
  return { ticks: multiples(from, to, step), at: (value) => pixels[0] + ((value - from) / (to - from)) * (pixels[1] - pixels[0]) };
}

/** A logarithmic axis. Values must be above 0. */
export function logAxis(low: number, high: number, pixels: readonly [number, number], count: number): Axis {
  const [from, to] = high > low * 1.02 ? [low, high] : [low / 1.2, high * 1.2];
  const [a, b] = [Math.log10(from), Math.log10(to)];
  const decades = Array.from({ length: Math.floor(b) - Math.floor(a) + 2 }, (_, index) => 10 ** (Math.floor(a) + index));
  const candidates = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]].map((times) => decades.flatMap((decade) => times.map((t) => Number((t * decade).toPrecision(6)))).filter((tick) => tick >= from * 0.999 && tick <= to * 1.001));
  // As few as are enough; a range too short for any of them gets linear ticks.
  const enough = candidates.find((ticks) => ticks.length >= Math.min(3, count));
  return { ticks: enough ?? multiples(from, to, niceStep(to - from, count)), at: (value) => pixels[0] + ((Math.log10(value) - a) / (b - a)) * (pixels[1] - pixels[0]) };
}
