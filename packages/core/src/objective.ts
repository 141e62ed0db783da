import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { DependencyContainer } from 'tsyringe';
import { addMacs, type MacParts } from './cost.js';
import { CompositionError } from './errors.js';
import type { Branch, Decoder, Encoder, LossParts, Prediction, RandomInput, Sampler, Scoring, StepContext, Target, TokenSet } from './hooks/index.js';
import { cellsOf, type Grid, type ImageSpec } from './image.js';
import type { Params, ParamSpecs } from './params.js';
import type { PlanTensors } from './plan/plan-batch.js';
import type { PlanCounts, TokenPlan } from './plan/token-plan.js';
import { DECODER, ENCODER, IMAGE, SAMPLER, SCORING, TARGET } from './plugin/hook-tokens.js';
import { part } from './scope.js';
import type { NamedHostTensors, NamedTensors } from './tensors.js';

/** One batch as the hooks see it. */
export interface ObjectiveBatch {
  /** Normalised float32. */
  readonly images_BHWC: Tensor4D;
  readonly plan: PlanTensors;
  /** Stacked host targets, by name. */
  readonly host?: NamedTensors;
  readonly random?: NamedTensors;
}

export interface ObjectiveOutcome extends LossParts {
  readonly features: Readonly<Record<string, Tensor>>;
  readonly predictions: Readonly<Record<string, Prediction>>;
  readonly targets: Readonly<Record<string, Readonly<Record<string, Tensor>>>>;
}

/** The hooks of a run, put together: images and plan in, loss out. Pure in (batch, params). */
export interface Objective {
  readonly image: ImageSpec;
  readonly grid: Grid;
  readonly sampler: Sampler;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly target: Target;
  readonly scoring: Scoring;
  params(): ParamSpecs;
  /** Values of parameters that come from files, a frozen teacher's say, in memory layout. Others start as their specs say. */
  pretrained(): Promise<NamedHostTensors>;
  randomInputs(batch: number): Readonly<Record<string, RandomInput>>;
  evaluate(batch: ObjectiveBatch, params: Params, training: boolean): ObjectiveOutcome;
  /** Forward cost of one image by formula, part by part. `plan`: see `Encoder.macs`. */
  macs(plan?: TokenPlan): MacParts;
}

export interface ObjectiveOptions {
  /** Overrides the run's own choice, for costs as papers count them and for parity with released code. */
  readonly predictTokens?: Scoring['predictTokens'];
}

/**
 * Resolves the hooks of a run and checks that they fit each other.
 * @throws CompositionError if the target cannot do without a branch the decoder lacks, or parameter names collide.
 */
export function createObjective(container: DependencyContainer, options: ObjectiveOptions = {}): Objective {
  const image = container.resolve(IMAGE);
  const encoder = container.resolve(ENCODER);
  const target = container.resolve(TARGET);
  const decoder = container.resolve(DECODER);
  const sampler = container.resolve(SAMPLER);
  const resolved = container.resolve(SCORING);
  const scoring: Scoring = { ...resolved, predictTokens: options.predictTokens ?? resolved.predictTokens };
  const { grid } = encoder;
  const wanted = target.spec(grid);
  const asked = Object.keys(wanted);
  const offered = decoder.branches.map((branch) => branch.name);
  const lacking = asked.filter((name) => !offered.includes(name) && wanted[name]?.optional !== true);
  if (lacking.length > 0) {
    throw new CompositionError(`the target asks for branches [${asked.join(', ')}], the decoder offers [${offered.join(', ')}]`, {
      place: 'hooks',
      remedy: 'Take target and decoder from plugins whose branches agree.',
    });
  }
  const branches = decoder.branches.filter((branch) => asked.includes(branch.name));
  sampler.counts(grid);
  if (sampler.state !== undefined && encoder.classAttention === undefined) {
    throw new CompositionError('the sampler follows the attention of a class token, which this encoder does not offer', {
      place: 'sampler',
      remedy: `Choose another sampling (pr-mim: 'random', 'furthest' or 'running-cell'), or an encoder with 'classAttention'.`,
    });
  }

  /** Known order is visible ++ retained: dropping the visible tokens is a slice. */
  const narrowed = (set: TokenSet, plan: PlanTensors): TokenSet => {
    if (set.cells !== 'known') return set;
    const { visible, retained } = plan.counts;
    const width = set.tokens_BSd.shape[2];
    return { tokens_BSd: tf.slice(set.tokens_BSd, [0, visible, 0], [plan.batch, retained, width]), cells: 'retained' };
  };

  return {
    image,
    grid,
    sampler,
    encoder,
    decoder,
    target,
    scoring,
    params: () => mergeParams({ encoder: encoder.params(), decoder: decoder.params(), target: target.params?.() ?? {} }),
    pretrained: async () => (await target.pretrained?.()) ?? {},
    randomInputs: (batch) => joined('random input', { encoder: encoder.randomInputs?.(batch) ?? {}, decoder: decoder.randomInputs?.(batch) ?? {} }),

    evaluate(batch, params, training) {
      const { images_BHWC, plan } = batch;
      const context: StepContext = { training, random: batch.random ?? {} };
      const features = part('encoder', () => encoder.encode(images_BHWC, plan, params, context));
      const sets = part('decoder', () => decoder.decode(features, plan, params, context));
      const predictions: Record<string, Prediction> = {};
      for (const branch of branches) {
        const set = sets[branch.name];
        if (set === undefined) throw new CompositionError(`decode gave no tokens for it, only for [${Object.keys(sets).join(', ')}]`, { place: `branch '${branch.name}'` });
        const scored = branch.tokenwise && scoring.predictTokens === 'retained' ? narrowed(set, plan) : set;
        predictions[branch.name] = part('head', () => decoder.predict(branch.name, scored, plan, params, context));
      }
      const targets = part('target', () => target.targets(images_BHWC, plan, params, batch.host ?? {}));
      const outcome = part('loss', () => target.loss(predictions, targets, plan, scoring.weights(plan)));
      return { ...outcome, parts: { ...outcome.parts, ...encoder.watch?.(params) }, features, predictions, targets };
    },

    macs(plan) {
      const counts = sampler.counts(grid);
      const predicted = Object.fromEntries(branches.map((branch) => [branch.name, predictedTokens(branch, scoring, counts, grid)]));
      const heads = Object.entries(predicted).map(([branch, tokens]) => decoder.predictMacs(branch, tokens));
      return addMacs(encoder.macs(counts, plan), decoder.decodeMacs(counts), ...heads, target.macs?.(predicted) ?? {});
    },
  };
}

/** How many tokens `predict` works on, class token included. */
function predictedTokens(branch: Branch, scoring: Scoring, counts: PlanCounts, grid: Grid): number {
  if (branch.cells === 'grid') return cellsOf(branch.grid ?? grid) + (branch.cls ? 1 : 0);
  if (branch.tokenwise && scoring.predictTokens === 'retained') return counts.retained;
  return counts.visible + counts.retained + (branch.cls ? 1 : 0);
}

/** Joins the parameters of several owners. @throws CompositionError on a name that two of them use. */
export const mergeParams = (owners: Readonly<Record<string, ParamSpecs>>): ParamSpecs => joined('parameter', owners);

function joined<T>(what: string, owners: Readonly<Record<string, Readonly<Record<string, T>>>>): Record<string, T> {
  const merged: Record<string, T> = {};
  const ownerOf = new Map<string, string>();
  for (const [owner, named] of Object.entries(owners)) {
    for (const [name, value] of Object.entries(named)) {
      const other = ownerOf.get(name);
      if (other !== undefined) {
        throw new CompositionError(`both ${other} and ${owner} have a ${what} of this name`, {
          place: name,
          remedy: `Give guests a prefix, as 'teacher.' or 'prmim.' do.`,
        });
      }
      ownerOf.set(name, owner);
      merged[name] = value;
    }
  }
  return merged;
}
