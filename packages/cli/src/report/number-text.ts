/** A number as a table shows it: `digits` significant ones, whole numbers as they are; a dash where there is none. */
export function numberText(value: number | undefined, digits = 4): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e9 || (size < 1e-3 && size > 0)) return value.toExponential(digits - 2);
  if (Number.isInteger(value) || size >= 10 ** (digits - 1)) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(digits);
}

/** A share 0..1 as percent, one decimal. */
export const percentText = (share: number): string => (100 * share).toFixed(1);

/** How far `value` is from `base`: `+12 %`. Empty where it is not, or where that means nothing. */
export function relativeText(value: number | undefined, base: number | undefined): string {
  if (value === undefined || base === undefined || !(base > 0) || !Number.isFinite(value)) return '';
  const percent = 100 * (value / base - 1);
  const text = Math.abs(percent) < 10 ? percent.toFixed(1) : percent.toFixed(0);
  return Number(text) === 0 ? '' : `${percent > 0 ? '+' : '−'}${text.replace('-', '')} %`;
}
