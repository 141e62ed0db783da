import { countsOf, randomStream, type SampleContext, type TokenPlan } from '@mimlab/core';
import { randomMasking, unitMasking } from '@mimlab/nn';
import { createSampler, PrMimConfig, storedWeights, weightedOrder } from '@mimlab/pr-mim';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectNear } from './closeness.js';
import { tensorOf, type Golden } from './golden-cases.js';

const numbers = z.array(z.number());
const Probabilities = { p_masked: numbers, p_thrown: numbers, p_visible: numbers, mask_count: z.int(), throw_count: z.int() };
const Monte = { n: z.int(), standard_error_max: z.number(), visible_count: z.int() };
const SamplingCase = z.union([
  z.object({ ...Probabilities, ...Monte, kind: z.string(), weights_14x14: numbers, unit_weights_7x7: numbers }),
  z.object({ ...Probabilities, ...Monte, kind: z.string(), weights: numbers, mask_ratio: z.number(), throw_ratio: z.number(), p_first_draw: numbers }),
  z.object({ ...Probabilities, kind: z.string().startsWith('exact'), weights: numbers }),
]);
type SamplingCase = z.infer<typeof SamplingCase>;
export const SamplingFile = z.object({ cases: z.array(SamplingCase).min(1) });

/** Draws for each case. With several hundred probabilities a case, five deviations are met by a right sampler. */
const DRAWS = 20_000;
const DEVIATIONS = 5;

function expectRates(what: string, counts: Float64Array, probabilities: readonly number[], referenceError: number): void {
  probabilities.forEach((p, place) => {
    const error = Math.sqrt((p * (1 - p)) / DRAWS + referenceError ** 2) + 1 / DRAWS;
    expect(Math.abs((counts[place] as number) / DRAWS - p), `${what} of place ${place}`).toBeLessThan(DEVIATIONS * error);
  });
}

/** Counts how often each place gets each role. */
function tally(places: number, rolesOf: (draw: number) => Pick<TokenPlan, 'visible' | 'retained' | 'thrown'>) {
  const make = (): Float64Array => new Float64Array(places);
  const counts = { retained: make(), thrown: make(), visible: make(), first: make() };
  const add = (to: Float64Array, cell: number): void => {
    to[cell] = (to[cell] as number) + 1;
  };
  for (let draw = 0; draw < DRAWS; draw++) {
    const plan = rolesOf(draw);
    for (const role of ['retained', 'thrown', 'visible'] as const) plan[role].forEach((cell) => add(counts[role], cell));
    add(counts.first, plan.retained[0] as number);
  }
  return counts;
}

/** A square map of weights seen whole, as the sampler of a run gets it. */
function contextOf(weights: readonly number[], draw: number): SampleContext {
  const side = Math.sqrt(weights.length);
  return {
    grid: { rows: side, columns: side },
    streams: { mask: randomStream('parity', 'mask', draw), sample: randomStream('parity', 'sample', draw) },
    sampleId: draw,
    epoch: 41,
    crop: { top: 0, left: 0, height: side, width: side, sourceHeight: side, sourceWidth: side, flip: false },
    state: Float32Array.from(weights),
  };
}

function rolesFor(from: SamplingCase): (draw: number) => Pick<TokenPlan, 'visible' | 'retained' | 'thrown'> {
  const ordered = (weights: readonly number[]) => (draw: number) => {
    const order = weightedOrder(weights, randomStream('parity', draw));
    const hidden = from.mask_count + from.throw_count;
    return { retained: order.subarray(0, from.mask_count), thrown: order.subarray(from.mask_count, hidden), visible: order.subarray(hidden) };
  };
  if ('unit_weights_7x7' in from) return ordered(from.unit_weights_7x7);
  if (!('mask_ratio' in from)) return ordered(from.weights);
  const config = PrMimConfig.parse({ sampling: 'amt', variant: 'faithful', amtMaskRatio: from.mask_ratio, throw: from.throw_ratio });
  const sampler = createSampler(randomMasking({ maskRatio: 0.75 }), config);
  return (draw) => sampler.sample(contextOf(from.weights, draw));
}

/** How often a token is masked, thrown and visible, against the official samplers or the exact probabilities. */
export function describeAmtSampling(cases: readonly SamplingCase[]): void {
  it.each(cases.map((from, index) => ({ ...from, index })))('case $index: $kind, $mask_count masked, $throw_count thrown', (from) => {
    const rolesOf = rolesFor(from);
    const first = rolesOf(0);
    expect([first.retained.length, first.thrown.length]).toEqual([from.mask_count, from.throw_count]);
    if ('visible_count' in from) expect(first.visible).toHaveLength(from.visible_count);
    const counts = tally(from.p_masked.length, rolesOf);
    const referenceError = 'standard_error_max' in from ? from.standard_error_max : 0;
    expectRates('share masked', counts.retained, from.p_masked, referenceError);
    expectRates('share thrown', counts.thrown, from.p_thrown, referenceError);
    expectRates('share visible', counts.visible, from.p_visible, referenceError);
    if ('p_first_draw' in from) expectRates('share drawn first', counts.first, from.p_first_draw, referenceError);
  });

  const byUnits = cases.flatMap((from, index) => ('unit_weights_7x7' in from ? [{ ...from, index }] : []));
  it.each(byUnits)('case $index: units weigh what their tokens weigh together', (from) => {
    const units = Math.sqrt(from.unit_weights_7x7.length);
    const unit = Math.sqrt(from.weights_14x14.length) / units;
    const sampler = createSampler(
      unitMasking({ unit: { rows: unit, columns: unit }, maskRatio: 0.6 }),
      PrMimConfig.parse({ sampling: 'amt', variant: 'faithful', throwUnit: 'mask-unit', amtMaskRatio: (from.mask_count - 0.5) / from.p_masked.length, throw: from.throw_count / from.p_masked.length }),
    );
    for (let draw = 0; draw < 20; draw++) {
      const plan = sampler.sample(contextOf(from.weights_14x14, draw));
      const size = unit * unit;
      expect(countsOf(plan)).toEqual({ visible: size * from.visible_count, retained: size * from.mask_count, thrown: size * from.throw_count });
      // The same order as with the unit weights of the case, drawn from the same stream.
      const order = weightedOrder(from.unit_weights_7x7, randomStream('parity', 'mask', draw)).subarray(0, from.mask_count);
      const met = [...new Set([...plan.retained].map((cell) => Math.floor(cell / (units * unit * unit)) * units + Math.floor((cell % (units * unit)) / unit)))];
      expect(met).toEqual([...order]);
    }
  });
}

/** Class-token attention to the weights that are kept of an image. */
export function describeAmtWeights(golden: Golden): void {
  it('keeps the official weights of every image', () => {
    const attention = tensorOf(golden, 'input.cls_to_patch_attention');
    const [batch, heads, cells] = attention.shape as [number, number, number];
    const kept = Float32Array.from(Array.from({ length: batch }, (_, b) => [...storedWeights((attention.data as Float32Array).subarray(b * heads * cells, (b + 1) * heads * cells), heads)]).flat());
    const stored = tensorOf(golden, 'output.mask_weights');
    expectNear('stored weights', { shape: stored.shape, dtype: 'float32', data: kept }, stored, 1e-6);
  });
}
