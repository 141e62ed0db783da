import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, findConfigFile, loadDocument, presetNames } from '@mimlab/core';
import { z } from 'zod';
import { EvaluationSettings, repeatedNames, Settings } from '../grid/evaluation-settings.js';
import { PRESETS } from '../run/run-context.js';
import { FRAMEWORKS, loadPaperTables } from '../table/paper-tables.js';

const Base = z.strictObject({
  preset: z.string().min(1).describe('Configuration or preset that stands for the model of the paper; a path is relative to this file'),
  set: Settings.default({}).describe('Keys laid over it'),
  teacher: z.enum(FRAMEWORKS).optional().describe('Framework whose full run, with the same seed, is trained first and becomes the teacher'),
});

/** Keys that follow from a row and its seed, and what to say to whoever sets them. */
const GIVEN = {
  seed: `seeds are counted from 0; '--seeds N' says how many`,
  'train.epochs': `the key 'epochs' says how many stand for the paper's 100`,
  wrap: `wrappers are those of the row; keys for single rows stand under 'rows'`,
} as const;

/** What stands for the paper's models, data and schedules where a table is measured: `mimlab table t2 --scale FILE`. */
export const ScaleFile = z
  .strictObject({
    title: z.string().min(1).describe('What is measured on, for the head of the table'),
    epochs: z.number().positive().describe(`Epochs for the paper's 100; other schedules in proportion, in whole epochs, at least one`),
    kernel: z.int().positive().optional().describe(`Kernel of the aggregation for the paper's 7; table 11 keeps its own`),
    set: Settings.default({}).describe('Keys laid over every base'),
    bases: z.partialRecord(z.enum(FRAMEWORKS), z.record(z.string(), Base)).describe('By framework and architecture, as the paper names them'),
    rows: z.record(z.string().regex(/^t\d+-\d\d$/), z.strictObject({ set: Settings })).default({}).describe('Keys for single rows'),
    evaluate: z.array(EvaluationSettings).min(1).describe('The first one gives the column top-1'),
  })
  .superRefine(({ set, bases, rows, evaluate }, context) => {
    const refuse = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    for (const { index, name } of repeatedNames(evaluate)) refuse(['evaluate', index, 'name'], `two evaluations are called '${name}'; give one of them another name`);
    const all = Object.entries(bases).flatMap(([framework, byArch = {}]) => Object.entries(byArch).map(([arch, base]) => ({ path: ['bases', framework, arch], arch, base })));
    for (const { path, arch, base: { teacher } } of all) {
      if (teacher !== undefined && bases[teacher]?.[arch]?.teacher !== undefined) refuse([...path, 'teacher'], `${teacher} learns from a teacher itself; name a framework that learns from none`);
    }
    // These are laid over the keys of a scale, so that one set there would do nothing.
    const sets = [{ path: ['set'], keys: set }, ...all.map(({ path, base }) => ({ path: [...path, 'set'], keys: base.set }))];
    for (const { path, keys } of sets) {
      for (const [key, instead] of Object.entries(GIVEN)) if (key in keys) refuse([...path, key], instead);
    }
    const known = new Set(loadPaperTables().flatMap((table) => table.rows.map(({ id }) => id)));
    for (const [id, row] of Object.entries(rows)) {
      if (!known.has(id)) refuse(['rows', id], 'the paper has no such row');
      if ('seed' in row.set) refuse(['rows', id, 'set', 'seed'], GIVEN.seed);
    }
  });

/** Small models in place of the paper's. */
export type SmallScale = z.infer<typeof ScaleFile> & { readonly kind: 'small' };

/** The paper's own recipes, on an image folder. */
export interface PublishedScale {
  readonly kind: 'published';
  readonly title: string;
  /** Image folder with `train` and `val` or `test`. */
  readonly folder: string;
}

export type Scale = SmallScale | PublishedScale;

/** Scales that ship with the command, beside sources and build alike. */
const SCALES = fileURLToPath(new URL('../../scales', import.meta.url));

/** Names of the scales that ship with the command. */
export const scaleNames = (): string[] => presetNames([SCALES]).map((name) => name.replace(/\.ya?ml$/, '')).sort();

/**
 * A scale by name, by the path of a file that describes one, or the folder of an image folder for the paper's own recipes.
 * @param quick takes the quick version of a named scale
 * @throws ConfigError with the names there are, or file, line and column of every mistake
 */
export function loadScale(name: string, quick: boolean): Scale {
  const path = resolve(name);
  const known = scaleNames();
  const wanted = quick ? `${name}-quick` : name;
  // An empty name is a variable that was not set, not the folder at hand.
  const isPath = name !== '' && !known.includes(name) && existsSync(path);
  if (quick && (isPath || !known.includes(wanted))) {
    throw new ConfigError(`there is no quick version of '${name}'`, { place: '--quick', remedy: `Quick versions: ${known.filter((one) => one.endsWith('-quick')).map((one) => one.replace(/-quick$/, '')).join(', ')}.` });
  }
  if (isPath && statSync(path).isDirectory()) return { kind: 'published', title: `the paper's own recipes on ${name}`, folder: path };
  const file = isPath ? path : findConfigFile(wanted, process.cwd(), [SCALES]);
  if (file === undefined) throw new ConfigError(`there is no scale '${name}'`, { place: '--scale', remedy: `Name one of ${known.join(', ')}, the path of a file that describes one, or an image folder for the paper's own recipes.` });
  const scale = loadDocument(file, ScaleFile);
  return { ...scale, kind: 'small', bases: withFoundPresets(scale.bases, file) };
}

function withFoundPresets(bases: SmallScale['bases'], file: string): SmallScale['bases'] {
  const found = (base: z.infer<typeof Base>, place: string): z.infer<typeof Base> => {
    const preset = findConfigFile(base.preset, dirname(file), [PRESETS]);
    if (preset === undefined) throw new ConfigError(`there is no configuration or preset '${base.preset}'`, { place: `${file}: ${place}`, remedy: `'mimlab presets' lists the presets.` });
    return { ...base, preset };
  };
  return Object.fromEntries(
    Object.entries(bases).map(([framework, byArch]) => [framework, Object.fromEntries(Object.entries(byArch ?? {}).map(([arch, base]) => [arch, found(base, join('bases', framework, arch))]))]),
  );
}
