import { numberText, percentText } from '../number-text.js';
import type { RunLabel } from '../report-run.js';
import type { SamplerGeometry } from '../sampler-geometry.js';
import { html, type Markup } from './html.js';
import { COLOURS } from './line-chart.js';
import { letterMark, missing, runMark, scrolling } from './run-mark.js';
import { cellPath } from './token-map.js';

export interface GeometryOfRun extends RunLabel {
  readonly geometry: SamplerGeometry;
}

type Measured = NonNullable<SamplerGeometry['measured']>;

const COLUMNS: readonly (readonly [head: string, title: string, read: (measured: Measured) => string])[] = [
  ['mean', 'distance of a thrown token to its nearest known one', ({ mean }) => mean.toFixed(3)],
  ['max', 'largest distance of an image, averaged over images', ({ max }) => max.toFixed(2)],
  ['worst', 'largest distance of all', ({ worst }) => worst.toFixed(2)],
  ['isolated 3×3, %', 'thrown tokens with no known one in the square around them', ({ isolated }) => (100 * isolated[3]).toFixed(2)],
  ['5×5, %', '', ({ isolated }) => (100 * isolated[5]).toFixed(2)],
  ['7×7, %', '', ({ isolated }) => (100 * isolated[7]).toFixed(2)],
  ['images, %', 'images with a token that is isolated in 3×3', ({ images }) => percentText(images)],
  ['cover', 'largest distance to a retained token, averaged over images', ({ cover }) => cover.toFixed(2)],
  ['known in 3×3', 'mean number of known tokens around a thrown one', ({ around }) => around.toFixed(2)],
];

/** How evenly each run's sampler surrounds the tokens it throws. */
export function geometrySection(runs: readonly GeometryOfRun[]): Markup {
  const throwing = runs.flatMap((run, index) => (run.geometry.measured === undefined ? [] : [{ ...run, index, measured: run.geometry.measured }]));
  const idle = runs.flatMap((run, index) => (run.geometry.measured === undefined ? [letterMark(index, run.letter)] : []));
  const blind = runs.flatMap((run, index) => (run.geometry.withoutAttention ? [letterMark(index, run.letter)] : []));
  const table = html`<table class="numbers"><caption>Distances in steps of the grid. Known: visible or retained. ${COLUMNS.filter(([, title]) => title !== '').map(([head, title]) => html`<span class="term"><b>${head}</b>: ${title}. </span>`)}</caption>
<thead><tr><th scope="col">Run</th><th scope="col">plans</th>${COLUMNS.map(([head]) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${throwing.map((run) => html`<tr><th scope="row">${runMark(run.index, run)}</th><td>${numberText(run.geometry.plans)}</td>${COLUMNS.map(([, , read]) => html`<td>${read(run.measured)}</td>`)}</tr>`)}</tbody></table>`;
  return html`<section id="sampler" aria-labelledby="sampler-title"><h2 id="sampler-title">Geometry of the sampler</h2>
<p>How well known tokens surround thrown ones, over seeded plans of each run's sampler (section 6.4 of the PR-MIM specification).</p>
${idle.length > 0 ? html`<p class="missing">Nothing is thrown: ${idle}</p>` : undefined}
${blind.length > 0 ? html`<p class="missing">Follows attention, here with all tokens attended alike: ${blind}</p>` : undefined}
${throwing.length > 0 ? html`${scrolling('Geometry of samplers', table)}<div class="plans">${throwing.map(examplePlan)}${distanceTable(throwing)}</div>` : missing('There are no distances to measure.')}
</section>`;
}

type Throwing = GeometryOfRun & { readonly index: number; readonly measured: Measured };

/** A distance as it is on a grid: a whole number or a root. */
export const stepsText = (distance: number): string => (Number.isInteger(distance) ? String(distance) : `√${Math.round(distance * distance)}`);

/** Percent with two decimals; what is seldom is told from what never happens. */
const shareText = (share: number): string => (share > 0 && share < 5e-5 ? '< 0.01' : (100 * share).toFixed(2));

/** Shares of thrown tokens by distance, as bars. */
function distanceTable(runs: readonly Throwing[]): Markup {
  const distances = [...new Set(runs.flatMap(({ measured }) => measured.distances.map(({ distance }) => distance)))].sort((a, b) => a - b);
  const share = ({ measured }: Throwing, distance: number): number => measured.distances.find((bin) => bin.distance === distance)?.share ?? 0;
  const table = html`<table class="bars"><caption>Thrown tokens by distance to the nearest known one, percent.</caption>
<thead><tr><th scope="col">Steps</th>${runs.map((run) => html`<th scope="col">${runMark(run.index, run)}</th>`)}</tr></thead>
<tbody>${distances.map((distance) => html`<tr><th scope="row">${stepsText(distance)}</th>${runs.map((run) => html`<td><span class="bar run-${run.index % COLOURS}" style="--share:${share(run, distance).toFixed(4)}"></span><span class="bar-text">${shareText(share(run, distance))}</span></td>`)}</tr>`)}</tbody></table>`;
  return scrolling('Distances of thrown tokens', table);
}

/** Grids up to this width have room for a number in each cell. */
const NUMBERED = 16;
/** Distance at which a cell is fully dark. */
const FAR = 3;

/** One plan: who is visible, retained, thrown, and how far each thrown token is from a known one. */
function examplePlan(run: Throwing): Markup {
  const { example, exampleDistances } = run.geometry;
  const { rows, columns } = example.grid;
  const cells = [...example.thrown].map((cell, at) => {
    const distance = exampleDistances[at] as number;
    const [x, y] = [cell % columns, Math.floor(cell / columns)];
    const depth = Math.min(1, distance / FAR).toFixed(2);
    return html`<g><path class="thrown-cell" style="--depth:${depth}" d="M${x} ${y}h1v1h-1z"/>${columns <= NUMBERED ? html`<text x="${x + 0.5}" y="${y + 0.66}" text-anchor="middle">${stepsText(distance)}</text>` : undefined}</g>`;
  });
  const farthest = exampleDistances.reduce((most, distance) => Math.max(most, distance), 0);
  return html`<figure class="plan"><svg viewBox="-.05 -.05 ${columns + 0.1} ${rows + 0.1}" role="img" aria-label="A plan of run ${run.letter}: ${example.visible.length} visible, ${example.retained.length} retained and ${example.thrown.length} thrown tokens, at most ${farthest.toFixed(2)} steps from a known one.">
<path class="visible-cell" d="${cellPath(example.visible, columns)}"/><path class="retained-cell" d="${cellPath(example.retained, columns)}"/>${cells}<path class="cell-lines" d="${gridLines(rows, columns)}"/></svg>
<figcaption>${runMark(run.index, run)}: one of its plans. <span><span class="swatch visible-cell"></span>visible</span> <span><span class="swatch retained-cell"></span>retained</span> <span><span class="swatch thrown-cell"></span>thrown, with its distance</span></figcaption></figure>`;
}

const gridLines = (rows: number, columns: number): string =>
  [...Array.from({ length: columns + 1 }, (_, x) => `M${x} 0v${rows}`), ...Array.from({ length: rows + 1 }, (_, y) => `M0 ${y}h${columns}`)].join('');
