import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MimlabError } from '@mimlab/core';
import { ensureFolder, writeFileAtomically } from '@mimlab/train';
import { storedConfig } from '../run/run-context.js';
import { constantLevel } from '../run/run-header.js';
import { differingKeys } from './differing-keys.js';
import { groupEvaluations, readEvaluations, type ReportedResults } from './evaluation-results.js';
import { numberText } from './number-text.js';
import { drawRun, type RunPictures } from './pictures.js';
import { attentionSection } from './render/attention-section.js';
import { evaluationSection } from './render/evaluation-section.js';
import { gallerySection } from './render/gallery-section.js';
import { geometrySection } from './render/geometry-section.js';
import { html, type Markup } from './render/html.js';
import { overviewSection } from './render/overview-section.js';
import { page } from './render/page.js';
import { provenanceSection } from './render/provenance-section.js';
import { runMark } from './render/run-mark.js';
import { trainingSection } from './render/training-section.js';
import { openReportRuns, type ReportRun } from './report-run.js';
import { progressOf, summaryRows } from './run-summary.js';
import { samplerGeometry } from './sampler-geometry.js';
import { trainingCurves } from './training-curves.js';

export interface WriteReportOptions {
  /** Test images to draw. */
  readonly images: number;
  readonly pictures: boolean;
  readonly notice: (message: string) => void;
  /** Told which checkpoint of which run is being drawn. */
  readonly progress: (run: string, done: number, total: number) => void;
  readonly now?: Date;
}

/** Style and script of the page, beside sources and build alike. */
const ASSETS = new URL('../../report/', import.meta.url);
const asset = (name: string): Promise<string> => readFile(fileURLToPath(new URL(name, ASSETS)), 'utf8');

/**
 * Writes a report of runs as one HTML file.
 * @throws MimlabError if a folder is no run, has nothing to report, or the file cannot be written
 */
export async function writeReport(given: readonly string[], output: string, options: WriteReportOptions): Promise<void> {
  // No folder is made for a run that is none; and drawing takes a while, so a wrong output is said before it.
  for (const run of given) storedConfig(run);
  await ensureFolder(dirname(output));
  if ((await stat(output).catch(() => undefined))?.isDirectory() === true) throw new MimlabError('is a folder, a file is expected', { place: output, remedy: 'Name a file with --output: report.html, say.' });
  const runs = await openReportRuns(given, options.notice);
  const evaluations = await Promise.all(runs.map(({ folder }) => readEvaluations(folder, options.notice)));
  const pictures: RunPictures[] = [];
  for (const run of options.pictures ? runs : []) pictures.push(await drawRun(run, options.images, (done, total) => options.progress(run.name, done, total)));
  await writeFileAtomically(output, await renderReport(runs, evaluations, options.pictures ? pictures : undefined, options.now ?? new Date()));
}

async function renderReport(runs: readonly ReportRun[], evaluations: readonly ReadonlyMap<string, ReportedResults>[], pictures: readonly RunPictures[] | undefined, now: Date): Promise<string> {
  const configs = runs.map(({ context }) => context.config);
  const names = runs.map(({ name }) => name);
  const drawn = pictures?.map((each, index) => ({ ...(runs[index] as ReportRun), ...each, epochsAnUpdate: epochsAnUpdate(runs[index] as ReportRun) }));
  return page({
    title: names.length === 1 ? `Report on ${names[0] ?? ''}` : `Report on ${names.length} runs`,
    lead: leadOf(runs, now),
    sections: [
      { id: 'overview', name: 'Overview', body: overviewSection(runs, summaryRows(runs, evaluations), differingKeys(configs)) },
      { id: 'training', name: 'Training', body: trainingSection(runs, trainingCurves(runs), levelsOf(runs)) },
      ...(drawn === undefined ? [] : [{ id: 'reconstructions', name: 'Reconstructions', body: gallerySection(drawn) }]),
      { id: 'sampler', name: 'Sampler', body: geometrySection(runs.map((run) => ({ ...run, geometry: samplerGeometry(run.context) }))) },
      { id: 'evaluation', name: 'Evaluation', body: evaluationSection(runs, groupEvaluations(evaluations)) },
      ...(drawn === undefined ? [] : [{ id: 'attention', name: 'Attention', body: attentionSection(drawn) }]),
      { id: 'provenance', name: 'Environment and configuration', body: provenanceSection(runs) },
    ],
    style: await asset('report.css'),
    script: await asset('report.js'),
  });
}

const leadOf = (runs: readonly ReportRun[], now: Date): Markup =>
  html`<p class="lead">${runs.map((run, index) => html`<span class="lead-run">${runMark(index, run)}</span> `)}</p><p class="made">Made by <code>mimlab report</code> on ${now.toISOString().slice(0, 10)}.</p>`;

function epochsAnUpdate(run: ReportRun): number | undefined {
  const { updates, epochs } = progressOf(run);
  return updates > 0 && epochs > 0 ? epochs / updates : undefined;
}

/** What predicting each patch by its mean costs, where targets are patch-normalised: one level for runs with patches of one size. */
function levelsOf(runs: readonly ReportRun[]): { value: number; name: string }[] {
  const letters = new Map<number, string[]>();
  for (const { letter, context } of runs) {
    const level = constantLevel(context.objective);
    if (level !== undefined) letters.set(level, [...(letters.get(level) ?? []), letter]);
  }
  return [...letters].map(([value, of]) => ({ value, name: `each patch by its mean${of.length === runs.length ? '' : ` (${of.join(', ')})`}: ${numberText(value, 3)}` }));
}
