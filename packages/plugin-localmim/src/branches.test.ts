import type { BranchTarget } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { askedOf, localBranches } from './branches.js';

const image = { height: 32, width: 16, channels: 3 };
const grid = { rows: 4, columns: 2 };

it('branches are named by their place', () => {
  expect(localBranches([4, 1])).toEqual([{ name: 'local0', scale: 4 }, { name: 'local1', scale: 1 }]);
});

describe('what a target asks', () => {
  const [first, second] = localBranches([4, 0.5]);
  const asked: BranchTarget = { values: 9, scale: 4, loss: 'mse' };

  it('is found by name', () => {
    expect(askedOf({ local0: asked }, [first!], first!, image, grid)).toBe(asked);
  });

  it('must have the same scale', () => {
    expect(() => askedOf({ local0: { ...asked, scale: 1 } }, [first!, second!], first!, image, grid)).toThrow(
      /asks for branches \[local0 at scale 1\], the decoder offers \[local0 at scale 4, local1 at scale 0\.5\]/,
    );
  });

  it('is told to be impossible where the scale does not fit, not merely missing', () => {
    expect(() => askedOf({ local0: asked }, [first!, second!], second!, image, { rows: 1, columns: 2 })).toThrow(/scales: scale 0\.5 joins 2 x 2 tokens, the grid has 1 x 2\n {2}Leave 0\.5 out/);
  });
});
