import type { Environment } from '@mimlab/train';
import type { RunLabel } from '../report-run.js';
import { html, type Markup } from './html.js';
import { missing, runMark, scrolling } from './run-mark.js';

export interface ProvenanceOfRun extends RunLabel {
  readonly configText: string;
  /** Of each part of the run. Those of early versions lack what was not recorded then. */
  readonly environments: readonly Partial<Environment>[];
}

type Git = { readonly commit: string; readonly dirty: boolean } | undefined;

const gitText = (git: Git): string => (git === undefined ? 'not recorded' : `${git.commit.slice(0, 12)}${git.dirty ? ', with changes' : ''}`);

const FACTS: readonly (readonly [name: string, read: (environment: Partial<Environment>) => string | undefined])[] = [
  ['Begun', ({ created }) => created],
  ['Engine', ({ engine }) => engine?.description],
  ['Precision', ({ engine }) => engine?.precision],
  ['Processor', ({ host }) => (host === undefined ? undefined : `${host.processor}, ${host.threads} threads, ${host.memoryGiB} GiB`)],
  ['System', ({ host }) => host?.system],
  ['Git commit of the project', ({ git }) => gitText(git?.project)],
  ['Git commit of mimlab', ({ git }) => gitText(git?.mimlab)],
  ['Versions', ({ versions }) => (versions === undefined ? undefined : Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '))],
];

/** What it takes to run the same again: environment, git state, the whole configuration. */
export function provenanceSection(runs: readonly ProvenanceOfRun[]): Markup {
  const known = runs.some(({ environments }) => environments.length > 0);
  const table = html`<table class="keys"><caption>As recorded when each run began.</caption>
<thead><tr><th scope="col">Fact</th>${runs.map((run, index) => html`<th scope="col">${runMark(index, run)}</th>`)}</tr></thead>
<tbody>${FACTS.map(([name, read]) => html`<tr><th scope="row">${name}</th>${runs.map(({ environments: [first] }) => html`<td>${first === undefined ? '–' : (read(first) ?? '–')}</td>`)}</tr>`)}</tbody></table>`;
  const resumed = runs.flatMap((run, index) => (run.environments.length > 1 ? [html`<li>${runMark(index, run)} was resumed: ${run.environments.slice(1).map(({ created = 'at a time not recorded', engine }, part) => html`${part > 0 ? '; ' : ''}${created} (${engine?.description ?? 'engine not recorded'})`)}</li>`] : []));
  return html`<section id="provenance" aria-labelledby="provenance-title"><h2 id="provenance-title">Environment and configuration</h2>
${known ? scrolling('Environment', table) : missing('No environment was recorded.')}
${resumed.length > 0 ? html`<ul>${resumed}</ul>` : undefined}
${runs.map((run, index) => html`<details class="in-print"><summary>Resolved configuration of ${runMark(index, run)}</summary><pre tabindex="0" aria-label="Configuration of run ${run.letter}">${run.configText}</pre></details>`)}</section>`;
}
