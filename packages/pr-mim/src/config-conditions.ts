import type { z } from 'zod';
import type { AggregatorKeys, PrMimKeys } from './config-keys.js';

/** Config while it is being completed. */
type Draft = PrMimKeys;
type Path = readonly [keyof Draft] | readonly ['aggregator', keyof AggregatorKeys];

/** A key that means something under a condition only. */
interface Conditional {
  readonly path: Path;
  readonly fallback: unknown;
  /** What the key needs, for people; undefined where its condition holds. */
  readonly lacks: (draft: Draft) => string | undefined;
}

const needs =
  (condition: (draft: Draft) => boolean, text: string) =>
  (draft: Draft): string | undefined =>
    condition(draft) ? undefined : text;

const kindOf = (draft: Draft): AggregatorKeys['kind'] => draft.aggregator?.kind ?? 'dwconv';
/** Whether thrown tokens are reconstructed at all. */
export const isProgressive = (draft: Draft): boolean => draft.reconstruction === 'progressive' && kindOf(draft) !== 'none';
const furthest = needs((draft) => draft.sampling === 'furthest', 'sampling: furthest');
const written = needs((draft) => draft.reconstruction === 'progressive', 'reconstruction: progressive');
const progressive = needs(isProgressive, 'reconstruction: progressive and an aggregator other than none');
const aggregating = (...kinds: AggregatorKeys['kind'][]): Conditional['lacks'] =>
  needs((draft) => isProgressive(draft) && kinds.includes(kindOf(draft)), `aggregator.kind: ${kinds.join(', ')}`);

/** In an order in which each condition reads completed keys only. */
const CONDITIONALS: readonly Conditional[] = [
  { path: ['criterion'], fallback: 'max-min', lacks: furthest },
  { path: ['anchors'], fallback: 'masked', lacks: furthest },
  { path: ['tieBreak'], fallback: 'masked-order', lacks: furthest },
  { path: ['firstToken'], fallback: 'random', lacks: furthest },
  { path: ['aggregator'], fallback: { kind: 'dwconv' }, lacks: written },
  { path: ['aggregator', 'kernel'], fallback: 7, lacks: aggregating('dwconv', 'avgpool', 'convnext') },
  { path: ['aggregator', 'init'], fallback: 'host', lacks: aggregating('dwconv') },
  { path: ['aggregator', 'bias'], fallback: true, lacks: aggregating('dwconv') },
  { path: ['aggregator', 'countKnown'], fallback: false, lacks: aggregating('avgpool') },
  { path: ['aggregator', 'scale'], fallback: 1, lacks: aggregating('convnext') },
  { path: ['merge'], fallback: 'thrown-only', lacks: progressive },
  { path: ['fill'], fallback: 'zero', lacks: progressive },
  { path: ['normalizeByCount'], fallback: false, lacks: aggregating('dwconv') },
  { path: ['source'], fallback: 'visible+retained', lacks: progressive },
  { path: ['shareNorm'], fallback: true, lacks: progressive },
  { path: ['shareHead'], fallback: true, lacks: progressive },
  { path: ['stopGradient'], fallback: 'none', lacks: progressive },
  { path: ['lossWeights'], fallback: { retained: 1, thrown: 1 }, lacks: progressive },
  { path: ['predictTokens'], fallback: 'retained', lacks: needs((draft) => !isProgressive(draft), 'reconstruction: partial or subset; with progressive the head works on the whole grid') },
];

/** Values that contradict others although each key means something. */
const CONTRADICTIONS: readonly { readonly path: Path; readonly broken: (draft: Draft) => boolean; readonly message: string }[] = [
  {
    path: ['firstToken'],
    broken: (draft) => draft.firstToken === 'farthest' && draft.anchors !== 'masked+visible',
    message: 'farthest needs anchors: masked+visible; without anchors nothing lies far from anything before the first token',
  },
  {
    path: ['normalizeByCount'],
    broken: (draft) => draft.normalizeByCount === true && draft.fill === 'mask-token',
    message: 'counting known cells needs fill: zero; with mask tokens no cell is empty',
  },
  {
    path: ['aggregator', 'countKnown'],
    broken: (draft) => draft.aggregator?.countKnown === true && draft.fill === 'mask-token',
    message: 'counting known cells needs fill: zero; with mask tokens no cell is empty',
  },
];

function valueAt(draft: Draft, [key, inner]: Path): unknown {
  const outer = draft[key] as Record<string, unknown> | undefined;
  return inner === undefined ? outer : outer?.[inner];
}

/** Reports every key that is given where it means nothing, and every contradiction. */
export function refuseMeaningless(draft: Draft, context: z.RefinementCtx<Draft>): void {
  const report = (path: Path, message: string): void => context.addIssue({ code: 'custom', path: [...path], message });
  for (const { path, lacks } of CONDITIONALS) {
    const lacking = valueAt(draft, path) === undefined ? undefined : lacks(draft);
    if (lacking !== undefined) report(path, `has no meaning here: it needs ${lacking}. Remove it or change that`);
  }
  for (const { path, broken, message } of CONTRADICTIONS) if (broken(draft)) report(path, message);
}

/** Gives every key that means something its default. */
export function fillConditionalDefaults(draft: Draft): Draft {
  const full: Record<string, unknown> = { ...draft };
  for (const { path, fallback, lacks } of CONDITIONALS) {
    const [key, inner] = path;
    if (lacks(full as unknown as Draft) !== undefined || valueAt(full as unknown as Draft, path) !== undefined) continue;
    full[key] = inner === undefined ? fallback : { ...(full[key] as object), [inner]: fallback };
  }
  return full as unknown as Draft;
}
