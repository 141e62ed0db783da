import type { RunLabel } from '../report-run.js';
import { TOKEN_PARTS, type TrainingCurves } from '../training-curves.js';
import { html, type Markup } from './html.js';
import { lineChart } from './line-chart.js';
import { letterMark, missing, runMark } from './run-mark.js';

/** Everything logged over time. @param levels lines across the chart of the loss, such as what a constant prediction costs */
export function trainingSection(runs: readonly RunLabel[], curves: TrainingCurves, levels: readonly { readonly value: number; readonly name: string }[]): Markup {
  const { x, groups, rowsToPoint } = curves;
  const parts = TOKEN_PARTS.filter((part) => groups.some(({ curves: lines }) => lines.some((line) => line.part === part)));
  const chart = (group: TrainingCurves['groups'][number]): Markup =>
    lineChart({ ...group, id: `chart-${group.id}`, xName: x, ...(group.id === 'loss' ? { levels } : {}) });
  const thinned = rowsToPoint > 1 ? ` A point is the mean of up to ${rowsToPoint} rows of the log.` : '';
  const epochs = x === 'epoch' ? ' Runs are laid over each other by epochs, because an epoch has another number of updates in each.' : '';
  const body = html`<p>Losses of runs compare where they predict the same target.${thinned}${epochs}</p>
<form class="controls" aria-label="What the charts show">
<fieldset><legend>Runs</legend>${runs.map((run, index) => html`<label><input type="checkbox" name="run" value="${index}" checked=""> ${runMark(index, run)}</label>`)}</fieldset>
${parts.length > 0 ? html`<fieldset><legend>Tokens</legend>${parts.map((part) => html`<label><input type="checkbox" name="part" value="${part}" checked=""> <span class="line-sample ${part}"></span>${part}</label>`)}</fieldset>` : undefined}
<fieldset><legend>Axis</legend><label><input type="checkbox" name="log"> logarithmic losses and norms</label></fieldset>
</form>
<div class="charts main">${groups.filter(({ weight }) => weight === 'main').map(chart)}</div>
<div class="charts">${groups.filter(({ weight }) => weight === 'side').map(chart)}</div>`;
  return html`<section id="training" aria-labelledby="training-title"><h2 id="training-title">Training</h2>
${groups.length === 0 ? missing('These runs have no rows in their logs yet.') : body}
${silent(runs, curves)}</section>`;
}

/** Runs without a line would otherwise seem to hide behind another. */
function silent(runs: readonly RunLabel[], { groups }: TrainingCurves): Markup | undefined {
  const without = runs.flatMap(({ letter }, index) => (groups.length > 0 && groups.every(({ curves }) => curves.every(({ run }) => run !== index)) ? [letterMark(index, letter)] : []));
  return without.length === 0 ? undefined : html`<p class="missing">Nothing logged yet: ${without}</p>`;
}
