import type { RandomStream } from '@mimlab/core';
import { plane, type Picture } from './picture.js';

/**
 * A random landscape between 0 and 1 by the diamond-square method on a torus of a power of two, cut to the size asked for.
 * @param decay how much less each finer scale may vary
 */
export function plasma(height: number, width: number, decay: number, stream: RandomStream): Picture {
  const side = 2 ** Math.ceil(Math.log2(Math.max(2, height, width)));
  const map = new Float64Array(side * side);
  const at = (y: number, x: number): number => map[((y + side) % side) * side + ((x + side) % side)] as number;
  let wibble = 100;
  const set = (y: number, x: number, sum: number): void => {
    map[y * side + x] = sum / 4 + wibble * wibble * (2 * stream.uniform() - 1);
  };
  for (let step = side; step >= 2; step /= 2, wibble /= decay) {
    const half = step / 2;
    for (let y = half; y < side; y += step) {
      for (let x = half; x < side; x += step) set(y, x, at(y - half, x - half) + at(y - half, x + half) + at(y + half, x - half) + at(y + half, x + half));
    }
    for (let y = 0; y < side; y += half) {
      for (let x = (y % step === 0 ? half : 0); x < side; x += step) set(y, x, at(y - half, x) + at(y + half, x) + at(y, x - half) + at(y, x + half));
    }
  }
  const least = map.reduce((low, value) => Math.min(low, value), Infinity);
  const most = map.reduce((high, value) => Math.max(high, value), -Infinity);
  return plane(height, width, (pixel) => (at(Math.floor(pixel / width), pixel % width) - least) / (most - least));
}
