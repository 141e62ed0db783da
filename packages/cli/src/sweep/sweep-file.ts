import { dirname, resolve } from 'node:path';
import { ConfigError, findConfigFile, loadDocument } from '@mimlab/core';
import { z } from 'zod';
import { EvaluationSettings, nameOf, repeatedNames, Settings } from '../grid/evaluation-settings.js';
import { PRESETS } from '../run/run-context.js';

const Variant = z.strictObject({
  set: Settings.default({}).describe('Keys of the configuration'),
  pretrain: z.boolean().default(true).describe('false: the encoder is evaluated as it starts; fine-tuning it is training from scratch'),
  evaluate: z.array(z.string()).min(1).optional().describe('Names of the evaluations it gets; default: all'),
});

/** What `mimlab sweep` reads. */
export const SweepFile = z.strictObject({
  sweep: z
    .strictObject({
      title: z.string().min(1).optional().describe('Heading of the results'),
      base: z.string().min(1).describe('Configuration or preset that all have in common; a path is relative to this file'),
      set: Settings.default({}).describe('Keys laid over the base, dots between the parts of a key'),
      variants: z.record(z.string().min(1), Variant).refine((variants) => Object.keys(variants).length > 0, 'name a variant, or leave the key out').optional().describe('Named sets of keys: one axis of the grid'),
      grid: z.record(z.string().min(1), z.array(z.unknown()).min(1)).default({}).describe('Values of single keys, every combination of them'),
      seeds: z.array(z.int().min(0)).min(1).default([0]).describe('Every row is run with each; results are their mean and spread'),
      evaluate: z.array(EvaluationSettings).min(1).describe('What every encoder is asked'),
      cost: z.boolean().default(false).describe('Measure time and memory of a step of each row beside the first row'),
    })
    .superRefine(({ evaluate, set, variants = {}, grid, seeds }, context) => {
      const refuse = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
      const names = evaluate.map(nameOf);
      for (const { index, name } of repeatedNames(evaluate)) refuse(['evaluate', index, 'name'], `two evaluations are called '${name}'; give one of them another name`);
      for (const [label, { evaluate: asked = [] }] of Object.entries(variants)) {
        asked.forEach((name, index) => {
          if (!names.includes(name)) refuse(['variants', label, 'evaluate', index], `there is no evaluation '${name}', there are ${names.join(', ')}`);
        });
      }
      if (new Set(seeds).size < seeds.length) refuse(['seeds'], 'a seed is named twice');
      for (const [key, values] of Object.entries(grid)) if (new Set(values.map((value) => JSON.stringify(value))).size < values.length) refuse(['grid', key], 'a value is named twice');
      // Every experiment gets its seed last, so that one set here would do nothing.
      const sets: [path: string[], keys: object][] = [[['set'], set], [['grid'], grid], ...Object.entries(variants).map(([label, variant]): [string[], object] => [['variants', label, 'set'], variant.set])];
      for (const [path, keys] of sets) if ('seed' in keys) refuse([...path, 'seed'], `name seeds under 'seeds': every row is run with each`);
    }),
});
export type Sweep = z.infer<typeof SweepFile>['sweep'];

/** Reads a sweep; its base becomes a path or the name of a preset that is there. @throws ConfigError with file, line and column */
export function loadSweep(file: string): Sweep {
  const path = resolve(file);
  const { sweep } = loadDocument(path, SweepFile);
  const base = findConfigFile(sweep.base, dirname(path), [PRESETS]);
  if (base === undefined) throw new ConfigError(`there is no configuration or preset '${sweep.base}'`, { place: `${file}: sweep.base`, remedy: `Name a file beside this one or a preset ('mimlab presets' lists them).` });
  return { ...sweep, base };
}
