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

const faithful = (draft: Draft): boolean => draft.variant === 'faithful';
const kindOf = (draft: Draft): AggregatorKeys['kind'] => draft.aggregator?.kind ?? 'dwconv';
/** Whether thrown tokens are reconstructed at all. */
export const isProgressive = (draft: Draft): boolean => draft.reconstruction === 'progressive' && kindOf(draft) !== 'none';
const furthest = needs((draft) => draft.sampling === 'furthest', 'sampling: furthest');
const following = needs(({ sampling }) => sampling === 'amt' || sampling === 'amt-throw', 'sampling: amt, amt-throw');
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
  { path: ['variant'], fallback: 'count-matched', lacks: needs(({ sampling }) => sampling === 'running-cell' || sampling === 'amt', 'sampling: running-cell, amt') },
  { path: ['cellRatio'], fallback: 0.5, lacks: needs((draft) => draft.sampling === 'running-cell' && !faithful(draft), 'sampling: running-cell and variant: count-matched') },
  { path: ['amtMaskRatio'], fallback: 0.45, lacks: needs((draft) => draft.sampling === 'amt' && faithful(draft), 'sampling: amt and variant: faithful') },
  { path: ['refreshFrom'], fallback: 40, lacks: following },
  { path: ['refreshEvery'], fallback: 40, lacks: following },
  { path: ['mapCrop'], fallback: 'crop', lacks: following },
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
    path: ['reconstruction'],
    broken: (draft) => faithful(draft) && draft.reconstruction === 'subset',
    message: 'loss subsetting needs the counts of the counting rule: set variant: count-matched',
  },
  {
    path: ['throwBase'],
    broken: (draft) => faithful(draft) && (draft.throwBase !== 'all' || draft.throwRounding !== 'floor'),
    message: 'variant: faithful counts as released, by all tokens and rounding down: remove throwBase and throwRounding, or set variant: count-matched',
  },
  {
    path: ['throwUnit'],
    broken: (draft) => faithful(draft) && draft.sampling === 'running-cell' && draft.throwUnit !== 'token',
    message: 'the running cell as released works on single tokens: set throwUnit: token, or variant: count-matched',
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
