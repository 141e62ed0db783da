import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFlowNetwork } from './minimum-cut.js';

type Edge = readonly [from: number, to: number, capacity: number];

function sideOfSink(vertices: number, edges: readonly Edge[]): ReadonlySet<number> {
  const network = createFlowNetwork();
  for (let i = 0; i < vertices; i++) network.vertex();
  for (const edge of edges) network.edge(...edge);
  return network.sideOfSink(0, vertices - 1);
}

const cutBy = (edges: readonly Edge[], side: ReadonlySet<number>): number =>
  edges.reduce((sum, [from, to, capacity]) => sum + (!side.has(from) && side.has(to) ? capacity : 0), 0);

describe('the side of the sink of a minimum cut', () => {
  it('begins behind the narrowest edge of a chain', () => {
    expect(sideOfSink(4, [[0, 1, 5], [1, 2, 2], [2, 3, 4]])).toEqual(new Set([2, 3]));
  });

  it('is as small as can be where several cuts are equally narrow', () => {
    expect(sideOfSink(4, [[0, 1, 2], [1, 2, 2], [2, 3, 2]])).toEqual(new Set([3]));
  });

  it('never starts behind an edge that cannot be cut', () => {
    expect(sideOfSink(4, [[0, 1, Infinity], [1, 2, 7], [2, 3, Infinity]])).toEqual(new Set([2, 3]));
  });

  it('takes back flow that went the wrong way first', () => {
    // Of the paths 0-1-4 and 0-2-3-4, a flow along 0-1-3-4 would block both.
    const edges: Edge[] = [[0, 1, 1], [0, 2, 1], [1, 3, 1], [2, 3, 1], [1, 4, 1], [3, 4, 1]];
    expect(cutBy(edges, sideOfSink(5, edges))).toBe(2);
  });

  it('is all of the network that the source does not reach', () => {
    expect(sideOfSink(3, [[1, 2, 3]])).toEqual(new Set([1, 2]));
  });

  it('cuts as little as the best of all cuts', () => {
    const vertices = 6;
    const edge = fc.tuple(fc.nat(vertices - 1), fc.nat(vertices - 1), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 14 }), (edges) => {
        const sides = Array.from({ length: 2 ** (vertices - 2) }, (_, bits) =>
          new Set([vertices - 1, ...Array.from({ length: vertices - 2 }, (_, i) => i + 1).filter((vertex) => (bits >> (vertex - 1)) & 1)]));
        const least = Math.min(...sides.map((side) => cutBy(edges, side)));
        expect(cutBy(edges, sideOfSink(vertices, edges))).toBe(least);
      }),
    );
  });
});
