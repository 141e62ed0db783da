import type { ReportedResults } from '../evaluation-results.js';
import { numberText, percentText } from '../number-text.js';
import type { RunLabel } from '../report-run.js';
import { html, type Markup } from './html.js';
import { runMark, scrolling } from './run-mark.js';

/** More classes than this make no heat map that can be read: the most frequent mistakes are listed. */
const CLASSES = 24;
const MISTAKES = 20;

/** How often each class was taken for each, as a heat map of numbers; for many classes the most frequent mistakes. */
export function confusionTable(index: number, run: RunLabel, { perClass, confusion }: Pick<ReportedResults, 'perClass' | 'confusion'>): Markup {
  return perClass.length <= CLASSES ? heatMap(index, run, perClass, confusion) : mistakes(index, run, perClass, confusion);
}

type Classes = ReportedResults['perClass'];

function heatMap(index: number, run: RunLabel, classes: Classes, confusion: readonly (readonly number[])[]): Markup {
  const names = classes.map(({ name }) => name);
  const table = html`<table class="heat"><caption>${runMark(index, run)}: images of each class (row) by the class they were taken for (column). Shade: root of the share of the row.</caption>
<thead><tr><th scope="col">Class</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${confusion.map((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return html`<tr><th scope="row">${names[row]}</th>${counts.map((count, column) => html`<td${column === row ? html` class="right"` : undefined} style="--share:${total === 0 ? '0' : Math.sqrt(count / total).toFixed(3)}">${count}</td>`)}</tr>`;
  })}</tbody></table>`;
  return scrolling(`Confusion of run ${run.letter}`, table);
}

function mistakes(index: number, run: RunLabel, classes: Classes, confusion: readonly (readonly number[])[]): Markup {
  const found = confusion
    .flatMap((counts, row) => counts.map((count, column) => ({ row, column, count })))
    .filter(({ row, column, count }) => row !== column && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MISTAKES);
  const table = html`<table class="numbers"><caption>${runMark(index, run)}: the most frequent mistakes among ${numberText(classes.length)} classes.</caption>
<thead><tr><th scope="col">Class</th><th scope="col">taken for</th><th scope="col">images</th><th scope="col">of the class, %</th></tr></thead>
<tbody>${found.map(({ row, column, count }) => html`<tr><th scope="row">${classes[row]?.name}</th><td>${classes[column]?.name}</td><td>${count}</td><td>${percentText(count / Math.max(1, classes[row]?.samples ?? 1))}</td></tr>`)}</tbody></table>`;
  return scrolling(`Confusion of run ${run.letter}`, table);
}
