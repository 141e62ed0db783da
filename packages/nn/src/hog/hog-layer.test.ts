import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { hogHostTargets, hogLayerParams } from './hog-layer.js';
import { hogOfCells, orientationsOf } from './hog-of-pixels.js';

const image = { height: 8, width: 16, channels: 1 };
const pixels = Uint8Array.from({ length: 128 }, (_, i) => (i * i * 13) % 199);

describe('the parameters of a HOG layer', () => {
  it('are frozen, offsets within a third', () => {
    const specs = hogLayerParams('conv', true);
    expect(Object.entries(specs).map(([name, { shape, trainable }]) => [name, [...shape], trainable])).toEqual([
      ['conv.weight', [2, 1, 3, 3], false],
      ['conv.bias', [2], false],
    ]);
    for (const value of specs['conv.bias']!.init([2], randomStream(1))) expect(Math.abs(value)).toBeLessThanOrEqual(1 / 3);
    expect(Object.keys(hogLayerParams('conv', false))).toEqual(['conv.weight']);
  });

  it('hold a horizontal filter and its transpose', () => {
    const weight = [...hogLayerParams('conv', false)['conv.weight']!.init([2, 1, 3, 3], randomStream(1))];
    const [across, down] = [weight.slice(0, 9), weight.slice(9)];
    expect(across).toEqual([1, 0, -1, 2, 0, -2, 1, 0, -1]);
    expect(down).toEqual([0, 3, 6, 1, 4, 7, 2, 5, 8].map((place) => across[place]));
  });
});

describe('HOG computed by the loader', () => {
  const { shapes, compute } = hogHostTargets(image, { rows: 2, columns: 4 }, new Map([['fine', 2], ['coarse', 0.5]] as const), 3);

  it('has the shapes it announces', () => {
    expect(shapes).toEqual({ fine: [8, 12], coarse: [2, 3] });
    for (const [name, values] of Object.entries(compute(pixels))) expect(values).toHaveLength(shapes[name]!.reduce((a, b) => a * b));
  });

  it('gives each token its square of cells in raster order', () => {
    const cells = hogOfCells(orientationsOf(pixels, image, 3), { height: 2, width: 2 });
    // Token 5 is in row 1, column 1: cells in rows 2 to 3, columns 2 to 3 of 4 x 8.
    const square = [18, 19, 26, 27].flatMap((cell) => [...cells.subarray(3 * cell, 3 * cell + 3)]);
    expect([...compute(pixels)['fine']!.subarray(5 * 12, 6 * 12)]).toEqual(square);
  });
});
