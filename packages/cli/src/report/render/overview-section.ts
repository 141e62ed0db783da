import { flowText, type DifferingKey } from '../differing-keys.js';
import type { RunLabel } from '../report-run.js';
import type { SummaryRow } from '../run-summary.js';
import { html, type Markup } from './html.js';
import { missing, runMark, scrolling } from './run-mark.js';

/** What was run and what came of it: every quantity of every run, and the keys that make the runs differ. */
export function overviewSection(runs: readonly RunLabel[], rows: readonly SummaryRow[], differing: readonly DifferingKey[]): Markup {
  const compared = runs.length > 1 ? `Small numbers are relative to run ${runs[0]?.letter ?? ''}. ` : '';
  const table = html`<table class="summary"><caption>${compared}Losses at the end are means of the last tenth of the log.</caption>
<thead><tr><th scope="col">Quantity</th>${runs.map((run, index) => html`<th scope="col">${runMark(index, run)}</th>`)}</tr></thead>
<tbody>${rows.map(({ name, cells, numeric }) => html`<tr${numeric ? html` class="numeric"` : undefined}><th scope="row"${name.startsWith('of ') ? html` class="inner"` : undefined}>${name}</th>${cells.map(({ text, aside }) => html`<td>${text}${aside === '' ? undefined : html` <small>${aside}</small>`}</td>`)}</tr>`)}</tbody></table>`;
  return html`<section id="overview" aria-labelledby="overview-title"><h2 id="overview-title">Overview</h2>
${scrolling('Overview of runs', table)}
${runs.length > 1 ? differences(runs, differing) : undefined}
</section>`;
}

/** More keys than this hide the important ones: those that only some runs have are folded away. */
const MANY = 16;

function differences(runs: readonly RunLabel[], differing: readonly DifferingKey[]): Markup {
  if (differing.length === 0) return html`<h3>What differs</h3>${missing('The configurations of these runs are the same in every key.')}`;
  const [shared, others] = [differing.filter(isShared), differing.filter((key) => !isShared(key))];
  const folded = differing.length > MANY && shared.length > 0 && others.length > 0;
  return html`<h3>What differs</h3>
${scrolling('Keys that differ', keyTable(runs, folded ? shared : differing, 'Keys of the resolved configurations that are not the same in all runs.'))}
${folded ? html`<details><summary>${others.length} keys that only some of the runs have</summary>${scrolling('Keys of some runs', keyTable(runs, others, 'Keys that methods, samplers or data of some runs do not have.'))}</details>` : undefined}`;
}

const isShared = ({ values }: DifferingKey): boolean => values.every((value) => value !== undefined);

const keyTable = (runs: readonly RunLabel[], keys: readonly DifferingKey[], caption: string): Markup => html`<table class="keys"><caption>${caption}</caption>
<thead><tr><th scope="col">Key</th>${runs.map((run, index) => html`<th scope="col">${runMark(index, run)}</th>`)}</tr></thead>
<tbody>${keys.map(({ key, values }) => html`<tr><th scope="row"><code>${key}</code></th>${values.map((value) => html`<td>${value === undefined ? html`<span class="unset">not set</span>` : html`<code>${flowText(value)}</code>`}</td>`)}</tr>`)}</tbody></table>`;
