import { describe, expect, it } from 'vitest';
import type { Curve } from '../training-curves.js';
import { lineChart, type LineChart } from './line-chart.js';

const curve = (run: number, letter: string, values: readonly number[], part = ''): Curve => ({ run, letter, part, points: values.map((y, x) => ({ x, y })) });
const chart = (changes: Partial<LineChart> = {}): string =>
  lineChart({ id: 'c', title: 'Loss', unit: '', xName: 'update', curves: [curve(0, 'A', [4, 2, 1]), curve(1, 'B', [3, 2, 2])], log: true, ...changes }).markup;
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;
const dataOf = (text: string): { label: string; y: string[] }[] => JSON.parse(/<script[^>]*>(.*?)<\/script>/s.exec(text)?.[1] ?? '') as { label: string; y: string[] }[];

describe('a chart of lines', () => {
  it('has a line and a letter for every run, on either axis', () => {
    const text = chart();
    for (const scale of ['linear', 'log']) expect(text).toContain(`<svg class="${scale}"`);
    expect(count(text, /<path class="series run-0"/g)).toBe(2);
    expect(count(text, /<text class="end run-1"[^>]*>B<\/text>/g)).toBe(2);
  });

  it('offers no logarithmic axis where a value is not above 0, or where that means nothing', () => {
    expect(chart({ curves: [curve(0, 'A', [1, 0])] })).not.toContain('class="log"');
    expect(chart({ log: false })).not.toContain('class="log"');
  });

  it('says in words what it shows', () => {
    expect(chart({ curves: [curve(0, 'A', [4, 0.5, 1])] })).toContain('Loss. A goes from 4 at update 0 to 1 at update 2, between 0.5000 and 4.');
  });

  it('tells parts of a run by dashes, labels and data', () => {
    const text = chart({ curves: [curve(0, 'A', [1, 2], 'retained'), curve(0, 'A', [2, 3], 'thrown')], log: false });
    expect(count(text, /class="series run-0 dashed" data-run="0" data-part="thrown"/g)).toBe(1);
    expect(dataOf(text).map(({ label, y }) => [label, y])).toEqual([
      ['A retained', ['1', '2']],
      ['A thrown', ['2', '3']],
    ]);
  });

  it('has its values as a table, with a dash where a run has ended', () => {
    const text = chart({ curves: [curve(0, 'A', [4, 2, 1]), curve(1, 'B', [3, 2])] });
    expect(text).toContain('<th scope="col">update</th><th scope="col">A</th><th scope="col">B</th>');
    expect(text).toContain('<tr><th scope="row">1</th><td>2</td><td>2</td></tr><tr><th scope="row">2</th><td>1</td><td>–</td></tr>');
  });

  it('repeats colours after six runs, never letters', () => {
    const text = chart({ curves: Array.from({ length: 7 }, (_, run) => curve(run, 'ABCDEFG'[run] as string, [run + 1, run + 2])), log: false });
    expect(count(text, /class="series run-0"/g)).toBe(2);
    expect(count(text, />G<\/text>/g)).toBe(1);
  });

  it('moves letters apart at lines that end at the same place, and keeps them in the chart', () => {
    const text = chart({ curves: Array.from({ length: 4 }, (_, run) => curve(run, 'ABCD'[run] as string, [1, 0])), log: false });
    const tops = [...text.matchAll(/class="end[^>]* y="([\d.]+)"/g)].map(([, y]) => Number(y)).sort((a, b) => a - b);
    expect(tops.slice(1).every((top, at) => top - (tops[at] as number) >= 12)).toBe(true);
    expect(Math.max(...tops)).toBeLessThan(225);
  });

  it('draws a run of one row as a dot', () => {
    expect(chart({ curves: [curve(0, 'A', [2])], log: false })).toMatch(/class="series run-0"[^>]* d="M[\d.]+ [\d.]+h0"/);
  });

  /** Labels of the vertical axis, from below. */
  const labels = (values: readonly number[]): string[] => [...chart({ curves: [curve(0, 'A', values)], log: false }).matchAll(/text-anchor="end">([^<]*)<\/text>/g)].map(([, text]) => text as string);

  it('labels small ticks with all the digits they have', () => {
    expect(labels([0, 1.5e-4])).toEqual(['0', '5e−5', '1e−4', '1.5e−4']);
  });

  it('labels ticks that lie close together by what tells them apart', () => {
    expect(labels([0.69311, 0.69318])).toEqual(['0.6931', '0.69312', '0.69314', '0.69316', '0.69318']);
    expect(labels([0, 20_000])).toEqual(['0', '5,000', '10,000', '15,000', '20,000']);
  });

  it('offers no logarithmic axis where a level is not above 0', () => {
    expect(chart({ levels: [{ value: 0, name: 'each patch by its mean' }] })).not.toContain('class="log"');
  });

  it('names its unit where it has one', () => {
    expect(chart({ unit: 'images/s' })).toContain('<span class="unit">images/s</span>');
    expect(chart()).not.toContain('class="unit"');
  });

  it('has at most twelve places in its table, the first and the last among them', () => {
    const places = [...chart({ curves: [curve(0, 'A', Array.from({ length: 100 }, (_, at) => at + 1))] }).matchAll(/<tr><th scope="row">(\d+)<\/th>/g)].map(([, place]) => Number(place));
    expect(places).toHaveLength(12);
    expect([places[0], places.at(-1)]).toEqual([0, 99]);
  });

  it('reads the end of each line off before anyone points at it', () => {
    expect(chart()).toContain('<span class="at">last update</span> <span class="value run-0" data-run="0" data-part=""><b>A</b> 1</span>');
  });

  it('draws levels that mean something, inside the range', () => {
    const text = chart({ levels: [{ value: 6, name: 'each patch predicted by its mean' }], log: false });
    const y = Number(/<g class="level"><path d="M\d+ ([\d.-]+)H/.exec(text)?.[1]);
    expect(text).toContain('each patch predicted by its mean');
    expect(y).toBeGreaterThanOrEqual(12);
  });
});
