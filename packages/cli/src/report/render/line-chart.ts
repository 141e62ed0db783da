import { numberText } from '../number-text.js';
import type { Curve, CurvePoint } from '../training-curves.js';
import { linearAxis, logAxis, type Axis } from './axis.js';
import { html, jsonScript, type Markup } from './html.js';

export interface LineChart {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly xName: string;
  readonly curves: readonly Curve[];
  /** Offers a logarithmic vertical axis, if all values allow it. */
  readonly log: boolean;
  /** Horizontal lines that mean something, by name. */
  readonly levels?: readonly { readonly value: number; readonly name: string }[];
}

const WIDTH = 460;
const HEIGHT = 250;
const PLOT = { left: 52, right: WIDTH - 26, top: 12, bottom: HEIGHT - 34 } as const;
/** Colours come back after this many runs; letters at the ends of lines do not. */
export const COLOURS = 6;
/** Rows of the table of values. */
const TABLE_ROWS = 12;
/** Pixels between letters at the ends of lines, at least. */
const LETTER_GAP = 12;

const fixed = (value: number): string => String(Math.round(10 * value) / 10);

/** Curves with axes, a cursor to read values by (pointer and arrow keys), and the values as a table. */
export function lineChart(chart: LineChart): Markup {
  const { id, title, unit, curves, xName } = chart;
  const values = [...curves.flatMap(({ points }) => points.map(({ y }) => y)), ...(chart.levels ?? []).map(({ value }) => value)];
  const logarithmic = chart.log && values.every((value) => value > 0);
  const range = extent(values);
  const [first, last] = extent(curves.flatMap(({ points }) => points.map(({ x }) => x)));
  const x = linearAxis(first, last, [PLOT.left, PLOT.right], 5, true);
  const pixels = [PLOT.bottom, PLOT.top] as const;
  const linear = drawing(chart, x, linearAxis(...range, pixels, 4), 'linear');
  const log = logarithmic ? drawing(chart, x, logAxis(...range, pixels, 4), 'log') : undefined;
  const data = curves.map(({ run, letter, part, points }) => ({
    run,
    part,
    label: [letter, part].filter((text) => text !== '').join(' '),
    px: points.map((point) => Math.round(x.at(point.x))),
    x: points.map((point) => numberText(point.x)),
    y: points.map((point) => numberText(point.y)),
  }));
  return html`<figure class="chart" id="${id}">
<figcaption>${title}${unit === '' ? undefined : html` <span class="unit">${unit}</span>`}</figcaption>
<div class="plot" tabindex="0" role="group" aria-label="${title}. Left and right arrow keys read values." data-x="${xName}" data-width="${WIDTH}">${linear}${log}</div>
<p class="readout" aria-live="polite">${readout(chart)}</p>
<details><summary>Values as a table</summary>${valueTable(chart)}</details>
${jsonScript(data)}
</figure>`;
}

/** What is read off before anyone points at the chart: the end of each line. */
function readout({ curves, xName }: LineChart): Markup[] {
  return [
    html`<span class="at">last ${xName}</span> `,
    ...curves.map(({ run, letter, part, points }) => html`<span class="value run-${run % COLOURS}" data-run="${run}" data-part="${part}"><b>${[letter, part].filter((text) => text !== '').join(' ')}</b> ${numberText(points.at(-1)?.y)}</span> `),
  ];
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
}

function drawing(chart: LineChart, x: Axis, y: Axis, scale: 'linear' | 'log'): Markup {
  const { curves, xName, levels = [] } = chart;
  return html`<svg class="${scale}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${describe(chart)}"${scale === 'log' ? html` hidden=""` : undefined}>
<g class="grid">${y.ticks.map((tick) => html`<path d="M${PLOT.left} ${fixed(y.at(tick))}H${PLOT.right}"/>`)}</g>
<g class="ticks">${y.ticks.map((tick) => html`<text x="${PLOT.left - 7}" y="${fixed(y.at(tick) + 4)}" text-anchor="end">${tickText(tick)}</text>`)}${x.ticks.map((tick) => html`<text x="${fixed(x.at(tick))}" y="${PLOT.bottom + 16}" text-anchor="middle">${tickText(tick)}</text>`)}<text x="${PLOT.right}" y="${HEIGHT - 3}" text-anchor="end" class="axis-name">${xName}</text></g>
<path class="axis" d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}"/>
${levels.map(({ value, name }) => html`<g class="level"><path d="M${PLOT.left} ${fixed(y.at(value))}H${PLOT.right}"/><text x="${PLOT.right}" y="${fixed(y.at(value) - 4)}" text-anchor="end">${name}</text></g>`)}
${curves.map((curve) => html`<path class="series run-${curve.run % COLOURS}${curve.part === 'thrown' ? ' dashed' : ''}" data-run="${curve.run}" data-part="${curve.part}" d="${pathOf(curve.points, x, y)}"/>`)}
${endLetters(curves, x, y)}
<path class="cursor" d="M0 ${PLOT.top}V${PLOT.bottom}" hidden=""/>
</svg>`;
}

/** With all digits that a tick has: ticks are round, and one that is rounded again stands at another place. */
const tickText = (tick: number): string => (tick !== 0 && Math.abs(tick) < 1e-3 ? tick.toExponential().replace('e-', 'e−') : tick.toLocaleString('en-US', { maximumFractionDigits: 12 }));

function pathOf(points: readonly CurvePoint[], x: Axis, y: Axis): string {
  // A single point is drawn as a dot: a line of no length with round ends.
  const places = points.map((point) => `${fixed(x.at(point.x))} ${fixed(y.at(point.y))}`);
  return `M${places.join('L')}${places.length === 1 ? 'h0' : ''}`;
}

/** The letter of each run at the end of its line, moved apart where lines end close together. */
function endLetters(curves: readonly Curve[], x: Axis, y: Axis): Markup[] {
  const ends = curves
    .flatMap(({ run, letter, part, points }) => {
      const end = points.at(-1);
      return end === undefined ? [] : [{ run, letter, part, left: x.at(end.x) + 6, top: y.at(end.y) }];
    })
    .sort((a, b) => a.top - b.top);
  const places = spread(ends.map(({ top }) => top));
  return ends.map(({ run, letter, part, left }, index) => html`<text class="end run-${run % COLOURS}" data-run="${run}" data-part="${part}" x="${fixed(left)}" y="${fixed((places[index] as number) + 4)}">${letter}</text>`);
}

/** Ascending places moved apart: pushed down where they are too close, and back up from the bottom of the chart. */
function spread(places: readonly number[]): number[] {
  const moved: number[] = [];
  for (const place of places) moved.push(Math.max(place, (moved.at(-1) ?? -Infinity) + LETTER_GAP));
  let room: number = PLOT.bottom;
  for (let index = moved.length - 1; index >= 0; index--) {
    moved[index] = Math.min(moved[index] as number, room);
    room = (moved[index] as number) - LETTER_GAP;
  }
  return moved;
}

/** The chart in words. */
function describe({ title, xName, curves }: LineChart): string {
  const sentences = curves.map(({ letter, part, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    const [least, most] = extent(points.map(({ y }) => y));
    return `${[letter, part].filter((text) => text !== '').join(' ')} goes from ${numberText(first?.y)} at ${xName} ${numberText(first?.x)} to ${numberText(last?.y)} at ${xName} ${numberText(last?.x)}, between ${numberText(least)} and ${numberText(most)}`;
  });
  return `${title}. ${sentences.join('. ')}.`;
}

function valueTable({ title, xName, curves }: LineChart): Markup {
  const [first, last] = extent(curves.flatMap(({ points }) => points.map(({ x }) => x)));
  const longest = curves.reduce<readonly CurvePoint[]>((most, { points }) => (points.length > most.length ? points : most), []);
  const count = Math.min(TABLE_ROWS, longest.length);
  const places = Array.from({ length: count }, (_, row) => (count === 1 ? first : first + (row * (last - first)) / (count - 1)));
  const rows = [...new Set(places.map((place) => nearest(longest, place).x))];
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${title}: values"><table class="numbers"><caption>${title}, at ${rows.length} places</caption>
<thead><tr><th scope="col">${xName}</th>${curves.map(({ letter, part }) => html`<th scope="col">${[letter, part].filter((text) => text !== '').join(' ')}</th>`)}</tr></thead>
<tbody>${rows.map((place) => html`<tr><th scope="row">${numberText(place)}</th>${curves.map(({ points }) => html`<td>${within(points, place) ? numberText(nearest(points, place).y) : '–'}</td>`)}</tr>`)}</tbody></table></div>`;
}

const within = (points: readonly CurvePoint[], x: number): boolean => x >= (points[0]?.x ?? Infinity) && x <= (points.at(-1)?.x ?? -Infinity);

const nearest = (points: readonly CurvePoint[], x: number): CurvePoint => points.reduce((best, point) => (Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best));
