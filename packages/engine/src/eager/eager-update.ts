import { EngineError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimization, ParamUpdate, RunOptions, StepDefinition } from '../contract.js';
import { NonFiniteError } from '../non-finite-error.js';
import { optimizerState } from '../optimizer-state.js';
import { applyAdamw } from './adamw.js';
import type { EagerState } from './eager-state.js';
import { applyLars } from './lars.js';

const gradientOf = (name: string): string => `grad/${name}`;

/**
 * State of the optimizer, and sums of gradients where the step accumulates: zeros, unless another step made them.
 * @throws EngineError if the step updates state that it does not read, or accumulates less than one batch.
 */
export function createOptimizerState(definition: StepDefinition, { updates, accumulate = 1 }: Optimization, state: EagerState): void {
  const place = definition.name;
  if (!Number.isInteger(accumulate) || accumulate < 1) throw new EngineError(`cannot accumulate ${accumulate} micro-batches`, { place });
  for (const [name, { rule }] of Object.entries(updates)) {
    if (!definition.state.includes(name)) throw new EngineError(`the step updates '${name}' but does not read it`, { place, remedy: 'List it in state, or take it out of updates.' });
    const { shape } = state.get(name);
    for (const slot of optimizerState(rule, name)) state.ensureZeros(slot, shape);
    if (accumulate > 1) state.ensureZeros(gradientOf(name), shape);
  }
}

/** Gradients by parameter, in the order of declaration. A parameter that the loss does not depend on has none. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** Evaluates a step and differentiates its loss by every parameter that it updates. */
export function gradientsOf<E extends { readonly loss?: tf.Tensor }>(
  definition: StepDefinition,
  { updates }: Optimization,
  state: EagerState,
  evaluate: () => E,
): { evaluation: E; gradients: Gradients } {
  const names = definition.state.filter((name) => name in updates);
  const variables = names.map((name) => state.get(name));
  let evaluation: E | undefined;
  const { grads } = tf.variableGrads(() => {
    evaluation = evaluate();
    if (evaluation.loss === undefined) throw new EngineError('the step optimizes but gives no loss', { place: definition.name });
    return evaluation.loss as tf.Scalar;
  }, variables);
  const gradients = new Map<string, tf.Tensor>();
  for (const [index, name] of names.entries()) {
    const gradient = grads[(variables[index] as tf.Variable).name];
    if (gradient) gradients.set(name, gradient);
  }
  return { evaluation: evaluation as E, gradients };
}

export interface Applied {
  /** Of the gradients of this micro-batch while accumulating, of the mean ones at the update; before clipping. */
  readonly gradNorm: number;
  /** After the update, over all updated parameters; on request. */
  readonly norms?: { readonly paramNorm: number; readonly updateNorm: number };
}

/**
 * Adds the gradients up, or updates the parameters.
 * @throws NonFiniteError before anything is changed.
 */
export function applyGradients(optimize: Optimization, state: EagerState, gradients: Gradients, loss: number, options: RunOptions): Applied {
  const { accumulate = 1, clipNorm = Infinity, updates } = optimize;
  const adding = options.phase === 'accumulate';
  const mean = accumulate === 1 || adding ? gradients : averaged(gradients, state, accumulate);
  const gradNorm = finiteNorm(mean, loss);
  if (adding) {
    for (const [name, gradient] of gradients) {
      const sum = state.get(gradientOf(name));
      tf.tidy(() => sum.assign(tf.add(sum, gradient)));
    }
    return { gradNorm };
  }

  // The small number is that of torch.nn.utils.clip_grad_norm_.
  const scale = Math.min(1, clipNorm / (gradNorm + 1e-6));
  const withNorms = options.outputs?.includes('norms') ?? false;
  let paramSquares = 0;
  let updateSquares = 0;
  for (const [name, update] of Object.entries(updates)) {
    const gradient = mean.get(name);
    if (gradient === undefined) continue;
    const param = state.get(name);
    tf.tidy(() => {
      const before = withNorms ? tf.clone(param) : undefined;
      applyRule(state, name, scale < 1 ? tf.mul(gradient, scale) : gradient, update, options);
      if (accumulate > 1) state.get(gradientOf(name)).assign(tf.zerosLike(param));
      if (before === undefined) return;
      paramSquares += sumOfSquares(param);
      updateSquares += sumOfSquares(tf.sub(param, before));
    });
  }
  return { gradNorm, ...(withNorms && { norms: { paramNorm: Math.sqrt(paramSquares), updateNorm: Math.sqrt(updateSquares) } }) };
}

function applyRule(state: EagerState, name: string, gradient: tf.Tensor, { rule, ...update }: ParamUpdate, { lr, update: number }: RunOptions): void {
  const [first, second] = optimizerState(rule, name).map((slot) => state.get(slot)) as [tf.Variable, tf.Variable];
  const param = state.get(name);
  if (rule.kind === 'lars') applyLars({ param, mu: first }, gradient, { ...update, rule }, lr as number);
  else applyAdamw({ param, m: first, v: second }, gradient, { ...update, rule }, lr as number, number as number);
}

function averaged(gradients: Gradients, state: EagerState, accumulate: number): Gradients {
  const mean = new Map<string, tf.Tensor>();
  for (const [name, gradient] of gradients) mean.set(name, tf.div(tf.add(state.get(gradientOf(name)), gradient), accumulate));
  return mean;
}

const sumOfSquares = (tensor: tf.Tensor): number => tf.tidy(() => tf.sum(tf.square(tensor)).dataSync()[0] as number);

/** Global norm of the gradients. @throws NonFiniteError if it, or the loss, is not finite. */
function finiteNorm(gradients: Gradients, loss: number): number {
  let squares = 0;
  let bad: string | undefined;
  for (const [name, gradient] of gradients) {
    const square = sumOfSquares(gradient);
    if (!Number.isFinite(square)) bad ??= name;
    squares += square;
  }
  const norm = Math.sqrt(squares);
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw new NonFiniteError(loss, norm, bad);
  return norm;
}
