import { ConfigError, roleMask, type ObjectiveBatch, type Params, type TokenPlan } from '@mimlab/core';
import { PATCHES, PIXELS } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { PrMimInput } from './config.js';
import { batchOf, hostRun, largest, lossAndGradients, planOf, roughParams, samplePlans, type HostOptions, type Run } from './host.fixture.js';
import { prMim } from './wrapper.js';

const IMAGES = 3;
const grid = { rows: 4, columns: 5 };

interface Setting {
  readonly run: Run;
  readonly plans: TokenPlan[];
  readonly batch: ObjectiveBatch;
  readonly params: Record<string, Tensor>;
}
function setting(wrap?: PrMimInput, options: HostOptions = { grid }): Setting {
  const run = hostRun(wrap, options);
  const plans = samplePlans(run, IMAGES);
  return { run, plans, batch: batchOf(run, plans), params: roughParams(run.objective.params()) };
}
const learn = ({ run, batch, params }: Setting, changed: Params = {}): ReturnType<typeof lossAndGradients> =>
  lossAndGradients(run.objective, batch, { ...params, ...changed });
const predictions = ({ run, batch, params }: Setting, changed: Params = {}): number[][][] =>
  (run.objective.evaluate(batch, { ...params, ...changed }, false).predictions[PIXELS]?.values[PATCHES] as Tensor3D).arraySync();
/** Loss of every cell, from predictions of the whole grid. */
const cellLosses = (made: Setting): number[][] => {
  const outcome = made.run.objective.evaluate(made.batch, made.params, false);
  const { values, cells } = outcome.predictions[PIXELS] as (typeof outcome.predictions)[string];
  expect(cells).toBe('grid');
  const difference = tf.squaredDifference(values[PATCHES] as Tensor, outcome.targets[PIXELS]?.[PATCHES] as Tensor);
  return tf.mean(difference, -1).arraySync() as number[][];
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const lossesAt = (losses: number[][], plans: TokenPlan[], list: 'retained' | 'thrown'): number[] => plans.flatMap((plan, b) => [...plan[list]].map((cell) => losses[b]?.[cell] as number));
const DECODER = ['mask_token', 'decoder_embed.weight', 'decoder_blocks.0.attn.qkv.weight', 'decoder_blocks.0.mlp.fc2.weight'];
const ENCODER = ['cls_token', 'patch_embed.proj.weight', 'blocks.0.mlp.fc1.weight', 'norm.weight'];

test('is a wrapper that any plugin list can hold', () => {
  expect(prMim).toMatchObject({ kind: 'wrapper', name: 'pr-mim', paper: 'arXiv:2411.15746' });
});

describe('γ = 0 leaves the method exactly as it is', () => {
  const host = setting();
  const reference = learn(host);
  test.each<[string, PrMimInput]>([
    ['progressive', { throw: 0 }],
    ['partial', { throw: 0, reconstruction: 'partial' }],
    ['subset', { throw: 0, reconstruction: 'subset' }],
    ['random', { throw: 0, sampling: 'random' }],
    ['γ too small for one token', { throw: 0.04 }],
  ])('%s', (_name, wrap) => {
    const made = setting(wrap);
    expect(made.plans).toEqual(host.plans);
    expect(Object.keys(made.params)).toEqual(Object.keys(host.params));
    const learned = learn(made);
    expect(learned.loss).toBe(reference.loss);
    expect(learned.gradients).toEqual(reference.gradients);
    expect(made.run.objective.macs()).toEqual(host.run.objective.macs());
  });
  test('the grid form of thrown-only gives the same loss when nothing is thrown', () => {
    const made = setting({ throw: 0, merge: 'residual' });
    const zeros = Object.fromEntries(Object.entries(made.params).filter(([name]) => name.startsWith('prmim.')).map(([name, value]) => [name, tf.zerosLike(value)]));
    // A residual of zeros changes nothing: the path over the grid must agree with the host's own.
    const learned = learn(made, zeros);
    expect(learned.loss).toBeCloseTo(reference.loss, 5);
    for (const [name, gradient] of Object.entries(reference.gradients)) {
      expect(largest(gradient.map((value, i) => value - (learned.gradients[name]?.[i] as number)))).toBeLessThan(1e-5);
    }
  });
  test('modes that refine retained tokens keep their aggregation', () => {
    expect(Object.keys(setting({ throw: 0, merge: 'replace-all' }).params)).toContain('prmim.pixels.conv.weight');
  });
  test('without thrown tokens a weight of 0 for retained ones leaves no loss, and is refused', () => {
    expect(() => hostRun({ throw: 0.01, lossWeights: { retained: 0 } })).toThrow(ConfigError);
    expect(() => hostRun({ throw: 0, lossWeights: { retained: 0 } })).toThrow('no token is left in the loss');
  });
});

test('masks and images of a run do not depend on how retained tokens are picked', () => {
  const masks = (wrap?: PrMimInput): number[][] => setting(wrap).plans.map(({ visible }) => [...visible]);
  expect(masks({ sampling: 'random' })).toEqual(masks());
  expect(masks({ anchors: 'masked+visible' })).toEqual(masks());
});

describe('counts that cannot be are refused when the run is put together', () => {
  test.each([0.75, 0.9])('γ %f', (ratio) => {
    expect(() => hostRun({ throw: ratio }, { grid })).toThrow(ConfigError);
    expect(() => hostRun({ throw: ratio, reconstruction: 'subset' }, { grid })).toThrow(`γ = ${ratio}`);
  });
});

describe('partial reconstruction', () => {
  const made = setting({ throw: 0.25, reconstruction: 'partial' });
  test('the loss is the mean over retained tokens; thrown ones appear nowhere', () => {
    const outcome = made.run.objective.evaluate(made.batch, made.params, false);
    const { values, cells } = outcome.predictions[PIXELS] as (typeof outcome.predictions)[string];
    expect(cells).toBe('retained');
    const predicted = (values[PATCHES] as Tensor3D).arraySync();
    const targets = (outcome.targets[PIXELS]?.[PATCHES] as Tensor3D).arraySync();
    const each = made.plans.flatMap(({ retained }, b) =>
      [...retained].map((cell, place) => sum((predicted[b]?.[place] as number[]).map((value, p) => (value - (targets[b]?.[cell]?.[p] as number)) ** 2)) / 4),
    );
    expect(outcome.loss.dataSync()[0]).toBeCloseTo(sum(each) / each.length, 5);
    expect(Object.keys(outcome.parts)).toEqual(['retained']);
  });
  test('predicting the whole sequence gives the same loss and gradients', () => {
    const sequence = setting({ throw: 0.25, reconstruction: 'partial', predictTokens: 'sequence' });
    expect(sequence.run.objective.scoring.predictTokens).toBe('sequence');
    const [one, other] = [learn(made), learn(sequence)];
    expect(other.loss).toBeCloseTo(one.loss, 6);
    for (const [name, gradient] of Object.entries(one.gradients)) expect(largest(gradient.map((value, i) => value - (other.gradients[name]?.[i] as number)))).toBeLessThan(1e-5);
  });
  test('an aggregator of none is the same thing', () => {
    expect(learn(setting({ throw: 0.25, aggregator: { kind: 'none' } }))).toEqual(learn(made));
  });
});

test('subset: the decoder sees all tokens, the loss the picked ones only', () => {
  const subset = setting({ throw: 0.25, reconstruction: 'subset', predictTokens: 'sequence' });
  const picks = samplePlans(hostRun({ throw: 0.25 }, { grid }), IMAGES);
  const full = setting();
  // The full-length host, each token's loss taken for itself.
  const outcome = full.run.objective.evaluate(full.batch, full.params, false);
  const predicted = (outcome.predictions[PIXELS]?.values[PATCHES] as Tensor3D).arraySync();
  const targets = (outcome.targets[PIXELS]?.[PATCHES] as Tensor3D).arraySync();
  const each = picks.flatMap(({ retained }, b) =>
    [...retained].map((cell) => {
      const place = full.plans[b]?.retained.indexOf(cell) as number;
      return sum((predicted[b]?.[place] as number[]).map((value, p) => (value - (targets[b]?.[cell]?.[p] as number)) ** 2)) / 4;
    }),
  );
  expect(learn(subset).loss).toBeCloseTo(sum(each) / each.length, 5);
});

describe('progressive reconstruction', () => {
  const made = setting({ throw: 0.3 });
  const losses = cellLosses(made);
  const retained = lossesAt(losses, made.plans, 'retained');
  const thrown = lossesAt(losses, made.plans, 'thrown');

  test('the loss is the mean over all masked tokens, and both groups are logged', () => {
    const outcome = made.run.objective.evaluate(made.batch, made.params, false);
    const value = (scalar: Tensor | undefined): number => scalar?.dataSync()[0] as number;
    expect(value(outcome.loss)).toBeCloseTo((sum(retained) + sum(thrown)) / (retained.length + thrown.length), 5);
    expect(value(outcome.parts['retained'])).toBeCloseTo(sum(retained) / retained.length, 5);
    expect(value(outcome.parts['thrown'])).toBeCloseTo(sum(thrown) / thrown.length, 5);
  });
  test('loss weights: sum of w l over sum of w', () => {
    const weighted = learn(setting({ throw: 0.3, lossWeights: { retained: 1, thrown: 0.25 } }));
    expect(weighted.loss).toBeCloseTo((sum(retained) + 0.25 * sum(thrown)) / (retained.length + 0.25 * thrown.length), 5);
  });
  test('losses of thrown tokens teach decoder, encoder and aggregation', () => {
    const { gradients } = learn(setting({ throw: 0.3, lossWeights: { retained: 0 } }));
    for (const name of [...DECODER, ...ENCODER, 'prmim.pixels.conv.weight', 'prmim.pixels.conv.bias']) expect(largest(gradients[name] as Float32Array)).toBeGreaterThan(1e-6);
  });
  test('without them the aggregation of thrown-only learns nothing, that of replace-all still does', () => {
    const conv = (wrap: PrMimInput): number => largest(learn(setting({ throw: 0.3, lossWeights: { thrown: 0 }, ...wrap })).gradients['prmim.pixels.conv.weight'] as Float32Array);
    expect(conv({})).toBe(0);
    expect(conv({ merge: 'residual' })).toBeGreaterThan(1e-6);
    expect(conv({ merge: 'replace-all' })).toBeGreaterThan(1e-6);
  });
  test('every aggregator gives every parameter of its own a gradient', () => {
    for (const aggregator of [{ kind: 'dwconv' }, { kind: 'transformer' }, { kind: 'convnext' }] as const) {
      const { gradients } = learn(setting({ throw: 0.3, aggregator }));
      const own = Object.entries(gradients).filter(([name]) => name.startsWith('prmim.'));
      expect(own.length).toBeGreaterThan(1);
      for (const [name, gradient] of own) expect([name, largest(gradient) > 1e-7]).toEqual([name, true]);
    }
  });
  test('a kernel that is 1 at its centre leaves retained tokens alone, and makes thrown ones the head of the norm’s shift', () => {
    const replaced = setting({ throw: 0.3, merge: 'replace-all', aggregator: { bias: false } });
    const kernel = tf.buffer([7, 7, 8, 1]);
    for (let channel = 0; channel < 8; channel++) kernel.set(1, 3, 3, channel, 0);
    const predicted = predictions(replaced, { 'prmim.pixels.conv.weight': kernel.toTensor() });
    const untouched = predictions({ ...setting({ throw: 0.3 }), params: replaced.params }, { 'prmim.pixels.conv.bias': tf.zeros([8]) });
    const head = tf.add(tf.matMul(tf.reshape(replaced.params['decoder_norm.bias'] as Tensor, [1, 8]), replaced.params['decoder_pred.weight'] as tf.Tensor2D), replaced.params['decoder_pred.bias'] as Tensor);
    const constant = Array.from(head.dataSync());
    replaced.plans.forEach((plan, b) => {
      for (const cell of plan.retained) (predicted[b]?.[cell] as number[]).forEach((value, p) => expect(value).toBeCloseTo(untouched[b]?.[cell]?.[p] as number, 4));
      for (const cell of plan.thrown) (predicted[b]?.[cell] as number[]).forEach((value, p) => expect(value).toBeCloseTo(constant[p] as number, 4));
    });
  });
  test('the order of the retained tokens changes nothing but the order of summation', () => {
    const turned = made.plans.map((plan) => ({ ...plan, retained: plan.retained.slice().reverse() }));
    const other = lossAndGradients(made.run.objective, { ...made.batch, plan: planOf(turned, grid) }, made.params);
    const one = learn(made);
    expect(other.loss).toBeCloseTo(one.loss, 5);
    for (const [name, gradient] of Object.entries(one.gradients)) expect(largest(gradient.map((value, i) => value - (other.gradients[name]?.[i] as number)))).toBeLessThan(1e-4);
  });
});

describe('stopGradient: known', () => {
  test.each(['thrown-only', 'residual', 'replace-all'] as const)('%s: thrown losses end at the aggregation, values stay', (merge) => {
    const thrown = { throw: 0.3, merge, lossWeights: { retained: 0 } } as const;
    const held = learn(setting({ ...thrown, stopGradient: 'known' }));
    expect(held.loss).toBeCloseTo(learn(setting(thrown)).loss, 6);
    for (const name of [...DECODER, ...ENCODER]) expect(largest(held.gradients[name] as Float32Array)).toBe(0);
    for (const name of ['prmim.pixels.conv.weight', 'decoder_pred.weight', 'decoder_norm.weight']) expect(largest(held.gradients[name] as Float32Array)).toBeGreaterThan(1e-6);
  });
  test('with mask tokens as fill, these are part of the decoder too', () => {
    const held = learn(setting({ throw: 0.3, merge: 'residual', fill: 'mask-token', stopGradient: 'known', lossWeights: { retained: 0 } }));
    expect(largest(held.gradients['mask_token'] as Float32Array)).toBe(0);
  });
  test('losses of retained tokens go on teaching the decoder, refined or not', () => {
    for (const merge of ['thrown-only', 'residual', 'replace-all'] as const) {
      const retained = { throw: 0.3, merge, lossWeights: { thrown: 0 } } as const;
      const [held, free] = [learn(setting({ ...retained, stopGradient: 'known' })), learn(setting(retained))];
      for (const name of [...DECODER, ...ENCODER]) expect(largest((held.gradients[name] as Float32Array).map((value, i) => value - (free.gradients[name]?.[i] as number)))).toBeLessThan(1e-6);
    }
  });
});

describe('norm and head of their own for thrown tokens', () => {
  const names = ['decoder_norm.weight', 'decoder_norm.bias', 'decoder_pred.weight', 'decoder_pred.bias'];
  const own = setting({ throw: 0.3, shareNorm: false, shareHead: false });
  const copies = Object.fromEntries(names.map((name) => [`prmim.pixels.${name}`, own.params[name] as Tensor]));

  test('equal to the shared ones they predict the same', () => {
    expect(learn(own, copies).loss).toBeCloseTo(learn(setting({ throw: 0.3 })).loss, 5);
  });
  test('each learns from its own tokens', () => {
    const fromThrown = learn(setting({ throw: 0.3, shareNorm: false, shareHead: false, lossWeights: { retained: 0 } })).gradients;
    const fromRetained = learn(setting({ throw: 0.3, shareNorm: false, shareHead: false, lossWeights: { thrown: 0 } })).gradients;
    for (const name of names) {
      expect(largest(fromThrown[name] as Float32Array)).toBe(0);
      expect(largest(fromThrown[`prmim.pixels.${name}`] as Float32Array)).toBeGreaterThan(1e-6);
      expect(largest(fromRetained[name] as Float32Array)).toBeGreaterThan(1e-6);
      expect(largest(fromRetained[`prmim.pixels.${name}`] as Float32Array)).toBe(0);
    }
  });
  test('either can be had alone', () => {
    const added = (wrap: PrMimInput): string[] => Object.keys(setting({ throw: 0.3, ...wrap }).params).filter((name) => name.startsWith('prmim.pixels.decoder_'));
    expect(added({ shareNorm: false })).toEqual(names.slice(0, 2).map((name) => `prmim.pixels.${name}`));
    expect(added({ shareHead: false })).toEqual(names.slice(2).map((name) => `prmim.pixels.${name}`));
  });
  test('they start as the host’s do', () => {
    const specs = own.run.objective.params();
    for (const name of names) expect(specs[`prmim.pixels.${name}`]).toEqual(specs[name]);
  });
});

test('visible tokens never enter the loss', () => {
  for (const wrap of [{ throw: 0.3 }, { throw: 0.3, reconstruction: 'partial' }, { throw: 0.3, reconstruction: 'subset' }] as const) {
    const { run, batch } = setting(wrap);
    const visible = tf.mul(run.objective.scoring.weights(batch.plan), roleMask(batch.plan, 'visible'));
    expect(largest(visible.dataSync())).toBe(0);
  }
});
