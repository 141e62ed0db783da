import { z } from 'zod';
import type { EvaluationPlan } from './experiment.js';

/** Keys and values for `--set`, dots between the parts of a key. */
export const Settings = z.record(z.string().min(1), z.unknown());

/** How files ask for an evaluation. */
export const EvaluationSettings = z.strictObject({
  name: z.string().min(1).optional().describe('Column of the results; default: the protocol'),
  protocol: z.string().min(1).describe('knn, linear, partial, finetune, or the path of a module with one of your own'),
  labels: z.union([z.string(), z.int().positive()]).default('all').describe('all, a share of each class as 1%, or a number a class'),
  data: z.string().min(1).optional().describe('KIND:PATH or an image folder; default: the data of pre-training'),
  set: Settings.default({}).describe('Settings of the protocol, and of data., test. and engine.'),
});
export type EvaluationSettings = z.infer<typeof EvaluationSettings>;

/** What an evaluation is called in the results. */
export const nameOf = ({ name, protocol }: Pick<EvaluationSettings, 'name' | 'protocol'>): string => name ?? protocol;

/** `{a: 1}` as `KEY=VALUE` for `--set`; JSON is YAML. */
export const overridesOf = (settings: Readonly<Record<string, unknown>>): string[] => Object.entries(settings).map(([key, value]) => `${key}=${JSON.stringify(value)}`);

/** The evaluation with a seed. */
export const evaluationPlan = (settings: EvaluationSettings, seed: number): EvaluationPlan => {
  const { protocol, labels, data, set } = settings;
  return { name: nameOf(settings), protocol, labels: String(labels), seed, set: overridesOf(set), ...(data === undefined ? {} : { data }) };
};

/** Places of evaluations whose name stands before them already. */
export function repeatedNames(evaluations: readonly EvaluationSettings[]): { readonly index: number; readonly name: string }[] {
  const names = evaluations.map(nameOf);
  return names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [{ index, name }]));
}
