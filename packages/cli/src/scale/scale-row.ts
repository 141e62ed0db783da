import { ConfigError } from '@mimlab/core';
import { evaluationPlan, overridesOf, type EvaluationSettings } from '../grid/evaluation-settings.js';
import type { Experiment } from '../grid/experiment.js';
import type { PaperRow } from '../table/paper-tables.js';
import type { Scale, SmallScale } from './scale-file.js';

type Wrapper = Readonly<Record<string, unknown>>;

/** The part of a row's preset that makes it this row: its wrappers, resolved. */
export interface RowRecipe {
  readonly preset: string;
  readonly wrap: readonly Wrapper[];
}

/** The published setting that a scale's kernel stands for. */
const PUBLISHED_KERNEL = 7;

/**
 * The wrappers of a row at another scale: grids are smaller, so the kernel is; epochs are fewer, so attention is gathered sooner.
 * @param kernel for the published 7; undefined keeps the row's own
 * @param share of the published epochs
 */
export function scaledWrappers(wrap: readonly Wrapper[], kernel: number | undefined, share: number): Wrapper[] {
  const epochs = (value: unknown): number => Math.max(1, Math.round((value as number) * share));
  return wrap.map((wrapper) => {
    const { aggregator, refreshFrom, refreshEvery } = wrapper;
    const scaled = aggregator as Wrapper | undefined;
    return {
      ...wrapper,
      ...(scaled !== undefined && scaled['kernel'] === PUBLISHED_KERNEL && kernel !== undefined ? { aggregator: { ...scaled, kernel } } : {}),
      ...(refreshFrom === undefined ? {} : { refreshFrom: epochs(refreshFrom) }),
      ...(refreshEvery === undefined ? {} : { refreshEvery: epochs(refreshEvery) }),
    };
  });
}

/** Fine-tuning as the paper's table 14 and the methods' own releases have it, where that is not the default. */
const PUBLISHED_TUNING: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'ViT-L/16': { epochs: 50, baseLr: 1e-3, layerDecay: 0.75, dropPath: 0.2 },
  'Swin-B': { warmupEpochs: 20, baseLr: 6.25e-4, layerDecay: 0.9, clipNorm: 5, minLr: 1e-6 },
  'Swin-L': { warmupEpochs: 20, baseLr: 6.25e-4, layerDecay: 0.7, clipNorm: 5, minLr: 1e-6, dropPath: 0.2 },
};

/** What encoders are asked at a scale; the first evaluation is the paper's top-1. */
export function scaleEvaluations(scale: Scale, { arch }: PaperRow): readonly EvaluationSettings[] {
  if (scale.kind === 'small') return scale.evaluate;
  return [{ name: 'top-1', protocol: 'finetune', labels: 'all', set: { batch: 64, accumulate: 16, ...PUBLISHED_TUNING[arch] } }];
}

/** Where the run of a teacher lies. */
export type TeacherFolder = (teacher: Experiment) => Promise<string>;

/**
 * A row of the paper at a scale, and before it the run that it learns from, where there is one.
 * @throws ConfigError if the scale has no model for the row
 */
export async function scaleRow(row: PaperRow, recipe: RowRecipe, scale: Scale, seed: number, own: readonly string[], teacherFolder: TeacherFolder): Promise<Experiment[]> {
  const evaluations = scaleEvaluations(scale, row).map((evaluation) => evaluationPlan(evaluation, seed));
  const id = `${row.id} seed ${seed}`;
  if (scale.kind === 'published') {
    return [{ id, config: recipe.preset, set: [...overridesOf({ 'data.dataset': 'imagefolder', 'data.path': scale.folder }), `seed=${seed}`, ...own], pretrain: true, evaluations }];
  }
  const base = baseOf(scale, row);
  const share = scale.epochs / 100;
  const kernel = row.id.startsWith('t11-') ? undefined : scale.kernel;
  const settings = {
    ...scale.set,
    ...base.set,
    'train.epochs': Math.max(1, Math.round(row.epochs * share)),
    wrap: scaledWrappers(recipe.wrap, kernel, share),
    ...scale.rows[row.id]?.set,
  };
  const after = base.teacher === undefined ? undefined : await teacher(base.teacher, row, scale, seed, own);
  const folder = after === undefined ? undefined : await teacherFolder(after);
  const taught = folder === undefined ? {} : { 'method.teacher.checkpoint': folder };
  const experiment: Experiment = { id, config: base.preset, set: [...overridesOf({ ...settings, ...taught }), `seed=${seed}`, ...own], pretrain: true, evaluations };
  return after === undefined || folder === undefined ? [experiment] : [after, { ...experiment, after: folder }];
}

/** The full run of another framework that a row learns from. */
async function teacher(framework: PaperRow['framework'], row: PaperRow, scale: SmallScale, seed: number, own: readonly string[]): Promise<Experiment> {
  const full: PaperRow = { ...row, framework, epochs: 100 };
  // The file of a scale has no teacher that learns from another one.
  const noTeacher = (): Promise<string> => Promise.reject(new Error(`the teacher of ${row.framework} has a teacher itself`));
  const [experiment] = await scaleRow(full, { preset: '', wrap: [] }, { ...scale, rows: {} }, seed, own, noTeacher);
  return { ...(experiment as Experiment), id: `teacher of ${row.id} seed ${seed}`, evaluations: [] };
}

function baseOf(scale: SmallScale, { id, framework, arch }: PaperRow): NonNullable<SmallScale['bases'][PaperRow['framework']]>[string] {
  const base = scale.bases[framework]?.[arch];
  if (base !== undefined) return base;
  const there = Object.entries(scale.bases).map(([name, byArch]) => `${name} (${Object.keys(byArch ?? {}).join(', ')})`);
  throw new ConfigError(`the scale has no model for ${framework} ${arch}`, { place: id, remedy: `It has ${there.join(', ')}. Leave the row out with --rows, or add the model to a scale file of your own.` });
}
