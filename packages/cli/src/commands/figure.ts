import { resolve } from 'node:path';
import { composeRun, ConfigError, ENCODER, randomStream, SAMPLER, type Composition, type TokenPlan } from '@mimlab/core';
import { createEngine } from '@mimlab/engine';
import { parseMethods } from '../deviation/compared-methods.js';
import { readDeviationFile } from '../deviation/deviation-file.js';
import { accuracyFigure } from '../figures/accuracy-bubbles.js';
import { readFineTuningResults, readTableResults } from '../figures/figure-data.js';
import { fineTuningFigure } from '../figures/fine-tuning-curve.js';
import { deviationFigure } from '../figures/gradient-deviation.js';
import { picturesFigure, type PictureColumn } from '../figures/picture-rows.js';
import { tokenMapsFigure, type NamedPlan } from '../figures/token-maps.js';
import { writeFigure } from '../figures/write-figure.js';
import { loadDrawableWeights } from '../pictures/drawable-weights.js';
import { pictureCaption, predictPixels, type Statistics } from '../pictures/predict-pixels.js';
import { preparedImages } from '../pictures/prepared-images.js';
import { shortNames } from '../report/report-run.js';
import { loadRunContext, storedConfig, type RunContext } from '../run/run-context.js';
import { runStatistics } from '../run/train-run.js';
import type { Terminal } from '../terminal.js';

/** Folder that a figure is written to. */
export interface FigureOutput {
  readonly output: string;
}

/** Figure 1: accuracy against throwing ratio, from the results of table 2. */
export async function figure1(results: string, { title, output }: FigureOutput & { readonly title?: string }, terminal: Terminal): Promise<void> {
  const { spec, shown } = accuracyFigure(await readTableResults(results), title);
  if (!shown.includes('measured')) terminal.note('nothing was measured: the figure shows published numbers only');
  print(await writeFigure(spec, 'figure-1', output), terminal);
}

/** Figure 4: gradient deviation, from what `mimlab deviation` measured; of all its methods or of some. */
export async function figure4(path: string, { methods, output }: FigureOutput & { readonly methods?: string }, terminal: Terminal): Promise<void> {
  const file = await readDeviationFile(path);
  const chosen = methods === undefined ? undefined : parseMethods(methods);
  const rows = file.rows.filter(({ method, sampler }) => chosen?.some((choice) => choice.method === method && choice.sampler === sampler) ?? true);
  if (rows.length === 0) {
    const known = [...new Set(file.rows.map(({ method, sampler }) => `${method}:${sampler}`))];
    throw new ConfigError('holds none of these methods', { place: path, remedy: `It has: ${known.join(', ') || '(none)'}.` });
  }
  print(await writeFigure(deviationFigure({ ...file, rows }), 'figure-4', output), terminal);
}

/** Figure 6: accuracy against the number of blocks that were fine-tuned. */
export async function figure6(file: string, { output }: FigureOutput, terminal: Terminal): Promise<void> {
  print(await writeFigure(fineTuningFigure(await readFineTuningResults(file)), 'figure-6', output), terminal);
}

/** Figure 5: random and furthest sampling on one mask of a configuration. */
export async function figure5(config: string, { set, seed, output }: FigureOutput & { readonly set: readonly string[]; readonly seed: number }, terminal: Terminal): Promise<void> {
  const { composition } = await loadRunContext(config, set);
  const { ratio, random, furthest } = sampledTwice(composition, config);
  const plans = [random, furthest].map((form): TokenPlan => onePlan(form, seed));
  const named: NamedPlan[] = ['random', 'furthest'].map((name, place) => ({ name, plan: plans[place] as TokenPlan }));
  print(await writeFigure(tokenMapsFigure(named, ratio), 'figure-5', output), terminal);
}

export interface PicturesOptions extends FigureOutput {
  readonly image: readonly string[];
  readonly count: number;
  readonly seed: number;
  readonly statistics: Statistics;
  readonly names?: string;
}

/** Figure 7: what runs reconstruct of the same masked images. */
export async function figure7(runs: readonly string[], { image, count, seed, statistics, names, output }: PicturesOptions, terminal: Terminal): Promise<void> {
  const shown = names === undefined ? shortNames(runs.map((run) => resolve(run))) : names.split(',').map((name) => name.trim());
  if (shown.length !== runs.length) throw new ConfigError(`names ${shown.length} of ${runs.length} runs`, { place: '--names', remedy: 'Give each run one, with commas between.' });
  const columns: PictureColumn[] = [];
  const captions = new Set<string>();
  for (const [place, run] of runs.entries()) {
    const context = await loadRunContext(storedConfig(run));
    columns.push({ name: shown[place] as string, rows: await reconstructions(run, context, { image, count, seed, statistics }) });
    for (const line of pictureCaption(context.objective, statistics)) captions.add(line);
    if (leavesOut(context)) captions.add('dark grey: thrown, nothing was predicted there');
  }
  checkSameMasks(columns);
  print(await writeFigure(await picturesFigure(columns, [...captions]), 'figure-7', output), terminal);
}

function print(paths: readonly string[], terminal: Terminal): void {
  for (const path of paths) terminal.out(path);
}

/** The configuration's own counts, with each of the two samplers. Other keys of the wrapper play no part in a plan. */
function sampledTwice({ wrap = [], ...method }: Composition, config: string): { readonly ratio: number; readonly random: Composition; readonly furthest: Composition } {
  const place = wrap.findIndex(({ plugin }) => plugin.name === 'pr-mim');
  const wrapper = wrap[place];
  if (wrapper === undefined) throw new ConfigError('throws no tokens, so samplers have nothing to choose', { place: config, remedy: `Name a configuration with pr-mim under 'wrap', as mae/vit-b16-in1k-pr50.` });
  const given = wrapper.config as Record<string, unknown>;
  const counting = Object.fromEntries(['throw', 'throwBase', 'throwRounding', 'throwUnit'].map((key) => [key, given[key]]));
  const choosing = given['sampling'] === 'furthest' ? Object.fromEntries(['criterion', 'anchors', 'tieBreak', 'firstToken'].map((key) => [key, given[key]])) : {};
  const formed = (keys: Readonly<Record<string, unknown>>): Composition => ({
    ...method,
    wrap: wrap.with(place, { ...wrapper, config: wrapper.plugin.configSchema.parse({ ...counting, ...keys, reconstruction: 'partial' }) }),
  });
  return { ratio: given['throw'] as number, random: formed({ sampling: 'random' }), furthest: formed({ ...choosing, sampling: 'furthest' }) };
}

function onePlan(composition: Composition, seed: number): TokenPlan {
  const container = composeRun(composition);
  const { height, width } = composition.image;
  const streams = { mask: randomStream(seed, 'figure', 'mask'), sample: randomStream(seed, 'figure', 'sample') };
  const crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  return container.resolve(SAMPLER).sample({ grid: container.resolve(ENCODER).grid, streams, sampleId: 0, epoch: 0, crop });
}

async function reconstructions(run: string, context: RunContext, { image, count, seed, statistics }: Pick<PicturesOptions, 'image' | 'count' | 'seed' | 'statistics'>): Promise<PictureColumn['rows']> {
  const { objective, config } = context;
  if (objective.sampler.state !== undefined) throw new ConfigError('its masks follow attention, so they are not those of another run', { place: run, remedy: `Draw it alone: mimlab reconstruct ${run}` });
  const images = await preparedImages(context, image, count);
  const engine = await createEngine({ ...config.engine, kind: 'eager', precision: 'fp32' });
  try {
    await loadDrawableWeights(engine, run, context);
    return await predictPixels({ objective, engine, statistics: await runStatistics(context), images, seed, source: statistics });
  } finally {
    engine.dispose();
  }
}

/** Partial reconstruction never predicts what it throws. */
const leavesOut = ({ objective, config }: RunContext): boolean =>
  objective.sampler.counts(objective.grid).thrown > 0 && config.wrap.some((settings) => (settings as { readonly reconstruction?: unknown }).reconstruction === 'partial');

function checkSameMasks([first, ...others]: readonly PictureColumn[]): void {
  const masks = (column: PictureColumn | undefined): string => JSON.stringify(column?.rows.map(({ plan, original }) => [[...plan.visible].sort((a, b) => a - b), plan.grid, original.width, original.height]));
  for (const other of others) {
    if (masks(other) === masks(first)) continue;
    throw new ConfigError(`hides other patches than '${first?.name}'`, { place: other.name, remedy: 'Compare runs of one method, mask ratio and image size.' });
  }
}
