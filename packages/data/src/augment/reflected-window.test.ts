import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceImage } from '../contract.js';
import { reflectedWindow } from './reflected-window.js';
import { resize } from './resize.js';

/** Grey pixels 0 to 8, row by row. */
const nine: SourceImage = { height: 3, width: 3, channels: 1, pixels: Uint8Array.from({ length: 9 }, (_, i) => i) };
const whole = { height: 3, width: 3 };
const at = (top: number, left: number, height: number, width: number) => ({ top, left, height, width });

describe('a window of a reflected image', () => {
  it('is a plain part of the image where it stays inside', () => {
    expect([...reflectedWindow(nine, { ...whole, window: at(1, 0, 2, 2) })]).toEqual([3, 4, 6, 7]);
  });

  it('mirrors at the outermost pixel without repeating it', () => {
    expect([...reflectedWindow(nine, { ...whole, window: at(0, -2, 1, 7) })]).toEqual([2, 1, 0, 1, 2, 1, 0]);
    expect([...reflectedWindow(nine, { ...whole, window: at(-2, 0, 7, 1) })]).toEqual([6, 3, 0, 3, 6, 3, 0]);
  });

  it('may lie wholly over the edge', () => {
    expect([...reflectedWindow(nine, { ...whole, window: at(-2, 3, 2, 2) })]).toEqual([7, 6, 4, 3]);
  });

  it('keeps the channels of a pixel together', () => {
    const colours: SourceImage = { height: 1, width: 2, channels: 3, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect([...reflectedWindow(colours, { height: 1, width: 2, window: at(0, -1, 1, 3) })]).toEqual([4, 5, 6, 1, 2, 3, 4, 5, 6]);
  });

  it('is what padding the whole resized image would give, with either filter', () => {
    const source: SourceImage = { height: 7, width: 9, channels: 1, pixels: Uint8Array.from({ length: 63 }, (_, i) => (i * 89) % 256) };
    const mirrored = (place: number, side: number): number => {
      const period = 2 * (side - 1);
      const inside = ((place % period) + period) % period;
      return Math.min(inside, period - inside);
    };
    fc.assert(
      fc.property(fc.integer({ min: -4, max: 5 }), fc.integer({ min: -4, max: 6 }), fc.constantFrom('bicubic' as const, 'bilinear' as const), (top, left, filter) => {
        const size = { height: 5, width: 6 };
        const resized = resize(source, { ...size, filter });
        const expected = Array.from({ length: 16 }, (_, i) => resized[mirrored(top + Math.floor(i / 4), 5) * 6 + mirrored(left + (i % 4), 6)]);
        expect([...reflectedWindow(source, { ...size, window: at(top, left, 4, 4), filter })]).toEqual(expected);
      }),
    );
  });
});
