import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceImage } from '../contract.js';
import { resize, type Box } from './resize.js';

const image = (height: number, width: number, channels: number, pixels: readonly number[]): SourceImage => ({ height, width, channels, pixels: Uint8Array.from(pixels) });

const anyImage = fc.record({ height: fc.integer({ min: 1, max: 9 }), width: fc.integer({ min: 1, max: 9 }), channels: fc.constantFrom(1, 3) }).chain((size) =>
  fc.uint8Array({ minLength: size.height * size.width * size.channels, maxLength: size.height * size.width * size.channels }).map((pixels) => ({ ...size, pixels })),
);
const anySide = fc.integer({ min: 1, max: 12 });
const anyFilter = fc.constantFrom('bicubic' as const, 'bilinear' as const);

const boxIn = (height: number, width: number): fc.Arbitrary<Box> =>
  fc.tuple(fc.integer({ min: 1, max: height }), fc.integer({ min: 1, max: width })).chain(([h, w]) =>
    fc.record({ height: fc.constant(h), width: fc.constant(w), top: fc.integer({ min: 0, max: height - h }), left: fc.integer({ min: 0, max: width - w }) }),
  );

function cut({ pixels, width, channels }: SourceImage, box: Box): SourceImage {
  const rows = Array.from({ length: box.height }, (_, y) => {
    const start = ((box.top + y) * width + box.left) * channels;
    return [...pixels.subarray(start, start + box.width * channels)];
  });
  return image(box.height, box.width, channels, rows.flat());
}

describe('resize', () => {
  it('gives the same pixels when the size stays', () => {
    fc.assert(
      fc.property(anyImage, anyFilter, (source, filter) => {
        expect(resize(source, { height: source.height, width: source.width, filter })).toEqual(source.pixels);
      }),
    );
  });

  it('interpolates a step between two pixels by the triangle filter', () => {
    // Output centres lie at 0.25, 0.75, 1.25, 1.75 of the input; neighbours weigh 1/4 and 3/4.
    expect([...resize(image(1, 2, 1, [0, 100]), { height: 1, width: 4, filter: 'bilinear' })]).toEqual([0, 25, 75, 100]);
  });

  it('averages with a widened filter when shrinking', () => {
    // Half the size: support 2. The first centre is 1, so pixels 0, 1, 2 weigh 3/7, 3/7, 1/7; the second one never sees pixel 0.
    expect([...resize(image(1, 4, 1, [80, 0, 0, 0]), { height: 1, width: 2, filter: 'bilinear' })]).toEqual([34, 0]);
  });

  it('overshoots at a sharp edge with the cubic filter and stays in 0..255', () => {
    const out = resize(image(1, 4, 1, [50, 50, 200, 200]), { height: 1, width: 8 });
    expect(Math.min(...out)).toBeLessThan(50);
    expect(Math.max(...out)).toBeGreaterThan(200);
    const hard = resize(image(1, 4, 1, [0, 0, 255, 255]), { height: 1, width: 8 });
    expect([hard[0], hard[7]]).toEqual([0, 255]);
  });

  it('keeps an image of one colour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), anySide, anySide, anySide, anySide, anyFilter, (value, h, w, height, width, filter) => {
        const source = image(h, w, 3, Array<number>(h * w * 3).fill(value));
        expect(new Set(resize(source, { height, width, filter }))).toEqual(new Set([value]));
      }),
    );
  });

  it('treats a box as an image of its own', () => {
    const cases = anyImage.chain((source) => fc.tuple(fc.constant(source), boxIn(source.height, source.width), anySide, anySide, anyFilter));
    fc.assert(
      fc.property(cases, ([source, box, height, width, filter]) => {
        expect(resize(source, { box, height, width, filter })).toEqual(resize(cut(source, box), { height, width, filter }));
      }),
    );
  });

  it('computes a window as it stands in the whole result', () => {
    const cases = fc.tuple(anySide, anySide).chain(([height, width]) => fc.tuple(anyImage, fc.constant(height), fc.constant(width), boxIn(height, width), anyFilter));
    fc.assert(
      fc.property(cases, ([source, height, width, window, filter]) => {
        const whole = image(height, width, source.channels, [...resize(source, { height, width, filter })]);
        expect(resize(source, { height, width, window, filter })).toEqual(cut(whole, window).pixels);
      }),
    );
  });

  it('reads every row it needs where a window begins exactly on a pixel', () => {
    // Tripled, output row 4 lies on input row 1 and has one weight; row 5 reaches up to row 0.
    const source = image(4, 1, 1, [10, 90, 200, 30]);
    const whole = resize(source, { height: 12, width: 1 });
    expect(resize(source, { height: 12, width: 1, window: { top: 4, left: 0, height: 2, width: 1 } })).toEqual(whole.slice(4, 6));
  });

  it('treats the channels of a colour image one by one', () => {
    fc.assert(
      fc.property(anyImage.filter(({ channels }) => channels === 3), anySide, anySide, (source, height, width) => {
        const out = resize(source, { height, width });
        for (let c = 0; c < 3; c++) {
          const plane = image(source.height, source.width, 1, [...source.pixels].filter((_, i) => i % 3 === c));
          expect([...out].filter((_, i) => i % 3 === c)).toEqual([...resize(plane, { height, width })]);
        }
      }),
    );
  });

  it('sums rows as it sums columns, however many count', () => {
    const tall = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 3)).chain(([height, width, channels]) =>
      fc.uint8Array({ minLength: height * width * channels, maxLength: height * width * channels }).map((pixels) => ({ height, width, channels, pixels })),
    );
    const transpose = ({ height, width, channels, pixels }: SourceImage): SourceImage =>
      image(width, height, channels, Array.from({ length: pixels.length }, (_, i) => pixels[((Math.floor(i / channels) % height) * width + Math.floor(i / channels / height)) * channels + (i % channels)] as number));
    fc.assert(
      fc.property(tall, anySide, anyFilter, (source, height, filter) => {
        const down = { height, width: source.width, channels: source.channels, pixels: resize(source, { height, width: source.width, filter }) };
        expect(transpose(down).pixels).toEqual(resize(transpose(source), { height: source.width, width: height, filter }));
      }),
    );
  });

  it('treats rows and columns alike, up to the rounding between the passes', () => {
    const soft = fc.uint8Array({ min: 100, max: 150, minLength: 30, maxLength: 30 }).map((pixels) => image(5, 6, 1, [...pixels]));
    const transposed = (h: number, w: number, pixels: Uint8Array): number[] => Array.from({ length: h * w }, (_, i) => pixels[(i % h) * w + Math.floor(i / h)] as number);
    fc.assert(
      fc.property(soft, anySide, anySide, (source, height, width) => {
        const straight = transposed(height, width, resize(source, { height, width }));
        const other = resize(image(6, 5, 1, transposed(5, 6, source.pixels)), { height: width, width: height });
        // Each order rounds once between its passes, by half a level that cubic weights amplify to at most 0.63, and once at the end.
        for (const [i, value] of straight.entries()) expect(Math.abs(value - (other[i] as number))).toBeLessThanOrEqual(2);
      }),
    );
  });
});
