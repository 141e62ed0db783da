import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLOURS, seriesStyles } from './style.js';

const colours = (...names: string[]): string[] => seriesStyles(names).map(({ colour }) => colour);

describe('styles of series', () => {
  it('know full reconstruction by either of its names', () => {
    expect([colours('MAE'), colours('full'), colours('full reconstruction')]).toEqual([[COLOURS.ink], [COLOURS.ink], [COLOURS.ink]]);
  });

  it('know PR-MIM and partial reconstruction in any case', () => {
    expect(colours('pr-mim (own)', 'Partial')).toEqual([COLOURS.blue, COLOURS.vermilion]);
  });

  it('take no method for another whose name it begins with', () => {
    expect(colours('MAE + AMT')).toEqual([COLOURS.green]);
  });

  it('give the usual style to the first of a kind alone', () => {
    expect(colours('partial, random', 'partial, furthest')).toEqual([COLOURS.vermilion, COLOURS.green]);
  });

  it('do not depend on what else is drawn, for the methods of the paper', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-eg-lnoq-z]+$/), { maxLength: 5 }), (others) => {
        expect(colours(...others, 'full', 'partial', 'PR-MIM').slice(-3)).toEqual([COLOURS.ink, COLOURS.vermilion, COLOURS.blue]);
      }),
    );
  });

  it('differ as long as there are some left, and then begin anew', () => {
    const styles = seriesStyles(Array.from({ length: 10 }, (_, at) => `method ${at}`));
    expect(new Set(styles.slice(0, 5)).size).toBe(5);
    expect(styles.slice(5)).toEqual(styles.slice(0, 5));
  });
});
