import { expect, it } from 'vitest';
import { numberText, percentText, relativeText } from './number-text.js';

it.each([
  [0.49709, '0.4971'],
  [0.5, '0.5000'],
  [128, '128'],
  [0, '0'],
  [2808.6, '2,809'],
  [184032, '184,032'],
  [4.38e-7, '4.38e-7'],
  [-3.25, '-3.250'],
  [1e9, '1.00e+9'],
  [0.001, '0.001000'],
  [-2808.6, '-2,809'],
  [Number.POSITIVE_INFINITY, '–'],
  [undefined, '–'],
  [Number.NaN, '–'],
])('%s reads %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

it('fewer digits may be asked for', () => {
  expect(numberText(0.78123, 3)).toBe('0.781');
});

it('shares are percents with one decimal', () => {
  expect(percentText(0.76712)).toBe('76.7');
});

it.each([
  [1.28, 1, '+28 %'],
  [0.97, 1, '−3.0 %'],
  [1, 1, ''],
  [1.00001, 1, ''],
  [5, 0, ''],
  [undefined, 1, ''],
  [1, undefined, ''],
  [1, -1, ''],
  [Number.POSITIVE_INFINITY, 1, ''],
  [1.099, 1, '+9.9 %'],
  [0, 4, '−100 %'],
])('%s beside %s is %j', (value, base, text) => {
  expect(relativeText(value, base)).toBe(text);
});
