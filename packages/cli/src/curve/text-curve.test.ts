import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textCurve, type CurvePoint } from './text-curve.js';

const point = (x: number, y: number): CurvePoint => ({ x, y });
/** Inked dots of a Braille character, row by row: the two columns beside each other. */
const BITS = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
const dotsOf = (text: string): string =>
  BITS.map((bit) => (((text.codePointAt(0) ?? 0) - 0x2800) & bit ? '#' : '.')).join('').replace(/(..)/g, '$1/');
/** The drawing of a curve that is one character large. */
const drawn = (...points: CurvePoint[]): string => dotsOf(/\|(.)/u.exec(textCurve(points, { width: 1, height: 1, xName: 'x' }))?.[1] ?? '');

describe('a curve of one character', () => {
  it('has a dot for each column, the largest value on top', () => {
    expect(drawn(point(0, 1), point(1, 0))).toBe('#./../../.#/');
    expect(drawn(point(0, 0), point(1, 1))).toBe('.#/../../#./');
  });

  it('does not depend on the order of its points', () => {
    expect(drawn(point(1, 0), point(0, 1))).toBe(drawn(point(0, 1), point(1, 0)));
  });

  it('shows the mean of points that share a column', () => {
    expect(drawn(point(0, 3), point(0, 1), point(1, 0))).toBe('../#./../.#/');
  });

  it('of one value all along is a line', () => {
    expect(drawn(point(0, 2), point(1, 2))).toBe('##/../../../');
  });
});

describe('a curve', () => {
  it('is drawn through where points are far apart', () => {
    const [line = ''] = textCurve([point(0, 1), point(100, 1)], { width: 10, height: 1, xName: 'x' }).split('\n');
    expect(line.split('|')[1]).toBe('⠉'.repeat(10));
  });

  it('names its least and greatest values, in three digits unless they are whole', () => {
    const lines = textCurve([point(1, 0.98765), point(2500, -12)], { width: 20, height: 3, xName: 'step' }).split('\n');
    expect(lines[0]).toMatch(/^0\.988 \|/);
    expect(lines[2]).toMatch(/^ {2}-12 \|/);
    expect(lines[3]).toBe(`      +${'-'.repeat(20)}`);
    expect(lines[4]).toBe(`       1${'step 2500'.padStart(19)}`);
  });

  it('leaves out infinite values and places', () => {
    expect(textCurve([point(0, 1), point(1, Infinity), point(-Infinity, 5), point(1, 2)], { xName: 'x' })).toBe(textCurve([point(0, 1), point(1, 2)], { xName: 'x' }));
  });

  it('keeps to its width and height whatever the points', () => {
    const finite = fc.double({ min: -1e300, max: 1e300 });
    const size = fc.integer({ min: 1, max: 12 });
    const points = fc.array(fc.record({ x: finite, y: finite }), { maxLength: 20 });
    fc.assert(
      fc.property(points, size, size, (given, width, height) => {
        const text = textCurve(given, { width, height, xName: 'x' });
        if (text === '(no points)') return;
        const lines = text.split('\n');
        expect(lines).toHaveLength(height + 2);
        for (const line of lines.slice(0, height)) expect(line).toMatch(new RegExp(`^.* \\|[\\u2800-\\u28ff]{${width}}$`, 'u'));
        expect(lines.slice(0, height).join('')).toMatch(/[\u2801-\u28ff]/u);
      }),
    );
  });
});
