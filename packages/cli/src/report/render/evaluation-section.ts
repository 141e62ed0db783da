import type { EvaluationGroup, ReportedResults } from '../evaluation-results.js';
import { numberText, percentText } from '../number-text.js';
import type { RunLabel } from '../report-run.js';
import { confusionTable } from './confusion-table.js';
import { html, type Markup } from './html.js';
import { COLOURS } from './line-chart.js';
import { letterMark, missing, runMark, scrolling } from './run-mark.js';

/** Classes that are listed one by one; beyond, only the hardest and easiest. */
const CLASSES = 24;
const EXTREMES = 10;

interface Evaluated extends RunLabel {
  readonly index: number;
  readonly results: ReportedResults;
}

/** Accuracy with its interval, classes and confusions of every evaluation in the runs' folders. */
export function evaluationSection(runs: readonly RunLabel[], groups: readonly EvaluationGroup[]): Markup {
  return html`<section id="evaluation" aria-labelledby="evaluation-title"><h2 id="evaluation-title">Evaluation</h2>
${groups.length === 0 ? missing('No evaluation of these runs is in their folders yet; mimlab evaluate RUN --protocol NAME makes one.') : groups.map((group) => groupMarkup(runs, group))}</section>`;
}

function groupMarkup(runs: readonly RunLabel[], { name, results }: EvaluationGroup): Markup {
  const evaluated = runs.flatMap((run, index): Evaluated[] => (results[index] === undefined ? [] : [{ ...run, index, results: results[index] }]));
  const without = runs.flatMap(({ letter }, index) => (results[index] === undefined ? [letterMark(index, letter)] : []));
  return html`<h3>${name}</h3>
${accuracyTable(name, evaluated)}
${without.length > 0 ? html`<p class="missing">Not evaluated this way: ${without}</p>` : undefined}
<details><summary>Classes</summary>${classTable(name, evaluated)}</details>
<details><summary>Confusion</summary><div class="confusions">${evaluated.map((run) => confusionTable(run.index, run, run.results))}</div></details>`;
}

/** Intervals are drawn on one scale for all runs, which ends at round numbers around them. */
function accuracyTable(name: string, runs: readonly Evaluated[]): Markup {
  const low = Math.floor(20 * Math.min(...runs.map(({ results: { interval } }) => interval.low))) / 20;
  const high = Math.max(low + 0.05, Math.ceil(20 * Math.max(...runs.map(({ results: { interval } }) => interval.high))) / 20);
  const place = (share: number): string => ((100 * (share - low)) / (high - low)).toFixed(2);
  const top5 = runs.some(({ results }) => results.top5 !== undefined);
  const table = html`<table class="numbers accuracy"><caption>${name}: share of test images whose class is right, with its 95 % interval.</caption>
<thead><tr><th scope="col">Run</th><th scope="col">right, %</th><th scope="col">from</th><th scope="col">to</th><th scope="col" class="interval-head"><span>${percentText(low)}</span><span>${percentText(high)}</span></th>${top5 ? html`<th scope="col">top 5, %</th>` : undefined}<th scope="col">test images</th><th scope="col">labels used</th></tr></thead>
<tbody>${runs.map(({ index, letter, name: run, results }) => html`<tr><th scope="row">${runMark(index, { letter, name: run })}</th><td><b>${percentText(results.accuracy)}</b></td><td>${percentText(results.interval.low)}</td><td>${percentText(results.interval.high)}</td>
<td class="interval"><svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true" class="run-${index % COLOURS}"><path class="rail" d="M0 8H100"/><path class="span" d="M${place(results.interval.low)} 8H${place(results.interval.high)}"/><path class="point" d="M${place(results.accuracy)} 2V14"/></svg></td>${top5 ? html`<td>${results.top5 === undefined ? '–' : percentText(results.top5)}</td>` : undefined}<td>${numberText(results.samples)}</td><td>${numberText(results.labelled)}</td></tr>`)}</tbody></table>`;
  return scrolling(`Accuracy, ${name}`, table);
}

/** Accuracy of every class, or of the extreme ones of the first run where there are many. */
function classTable(name: string, runs: readonly Evaluated[]): Markup {
  const classes = runs[0]?.results.perClass ?? [];
  // Classes without a test image are neither hard nor easy.
  const ordered = classes.flatMap(({ accuracy }, at) => (accuracy === null ? [] : [{ at, accuracy }])).sort((a, b) => a.accuracy - b.accuracy);
  const many = classes.length > CLASSES;
  const shown = many ? [...new Set([...ordered.slice(0, EXTREMES), ...ordered.slice(-EXTREMES)].map(({ at }) => at))] : classes.map((_, at) => at);
  const table = html`<table class="bars"><caption>${name}: share of each class that is right, percent${many ? html`; the ${EXTREMES} lowest and ${EXTREMES} highest of ${classes.length} classes, by run ${runs[0]?.letter}` : undefined}.</caption>
<thead><tr><th scope="col">Class</th><th scope="col">images</th>${runs.map((run) => html`<th scope="col">${runMark(run.index, run)}</th>`)}</tr></thead>
<tbody>${shown.map((at) => html`<tr><th scope="row">${classes[at]?.name}</th><td>${numberText(classes[at]?.samples)}</td>${runs.map(({ index, results }) => classCell(index, results.perClass[at]?.accuracy))}</tr>`)}</tbody></table>`;
  return scrolling(`Classes, ${name}`, table);
}

const classCell = (index: number, accuracy: number | null | undefined): Markup =>
  typeof accuracy === 'number' ? html`<td><span class="bar run-${index % COLOURS}" style="--share:${accuracy.toFixed(4)}"></span><span class="bar-text">${percentText(accuracy)}</span></td>` : html`<td>–</td>`;
