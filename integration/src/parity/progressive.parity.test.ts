import { planTensors, toFileLayout, type HostTensor, type NamedTensors, type ObjectiveBatch } from '@mimlab/core';
import type { Engine, StepDefinition } from '@mimlab/engine';
import { layerNorm } from '@mimlab/nn';
import { createAggregator, restoreGrid, sourceCells } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type AvailableEngine } from './engines.js';
import { describeGolden, loadGolden, withoutPrefix, type Golden } from './golden-cases.js';
import {
  BRANCH,
  caseName,
  DECODER_OUTPUT,
  inputsOf,
  MODES,
  paramsOf,
  progressiveRun,
  sizesOf,
  VALUES,
  type Mode,
  type ProgressiveRun,
} from './progressive-case.js';

const available = await engines();

/** The fixtures' own tolerance, element by element. */
function expectWithin(name: string, actual: HostTensor | undefined, reference: HostTensor | undefined): void {
  if (reference === undefined || actual === undefined) throw new Error(`${name}: missing in the ${reference === undefined ? 'case' : 'result'}`);
  expect(actual.shape, `shape of ${name}`).toEqual(reference.shape);
  let worst = 0;
  reference.data.forEach((wanted, i) => {
    const excess = Math.abs((actual.data[i] as number) - wanted) / (1e-5 + 1e-4 * Math.abs(wanted));
    // NaN compares false with everything, so it must be caught by the negated comparison.
    if (!(excess <= worst)) worst = excess;
  });
  expect(worst, `${name}: error as a multiple of 1e-5 + 1e-4 * |reference|`).toBeLessThanOrEqual(1);
}

/** Loss, gradients by parameter, and every intermediate value that the case lists, from one step. */
function comparisonStep({ sizes, objective, options }: ProgressiveRun): StepDefinition {
  const { batch, rows, columns, width } = sizes;
  const names = Object.keys(objective.params());
  return {
    name: 'parity.progressive',
    state: names,
    compute(state, inputs) {
      const given: ObjectiveBatch = { images_BHWC: inputs['images'] as ObjectiveBatch['images_BHWC'], plan: planTensors(inputs, objective.grid) };
      const lossOf = (): tf.Scalar => objective.evaluate(given, state, true).loss;
      const gradients = tf.grads(lossOf)(names.map((name) => state[name] as Tensor));
      const outcome = objective.evaluate(given, state, false);
      const asGrid = (tokens: Tensor): Tensor => tf.reshape(tokens, [batch, rows, columns, width]);
      return {
        outputs: {
          loss: tf.reshape(outcome.loss, [1]),
          pred: outcome.predictions[BRANCH]?.values[VALUES] as Tensor,
          ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i] as Tensor])),
          ...(options === undefined ? {} : intermediates(state, given, asGrid)),
        },
      };
    },
  };

  function intermediates(state: NamedTensors, { plan }: ObjectiveBatch, asGrid: (tokens: Tensor) => Tensor): Record<string, Tensor> {
    const [branch] = objective.decoder.branches;
    if (branch === undefined || options === undefined) throw new Error('the host has one branch');
    const known = tf.slice(state[DECODER_OUTPUT] as tf.Tensor3D, [0, 1, 0], [batch, sizes.visible + sizes.retained, width]);
    const filled = restoreGrid({ tokens_BSd: known, cells: 'known' }, plan);
    const aggregator = createAggregator({ branch, grid: objective.grid }, options);
    const set = objective.decoder.decode({}, plan, state, { training: false, random: {} })[BRANCH];
    if (set === undefined) throw new Error('the branch is not decoded');
    const normed = layerNorm(tf.reshape(set.tokens_BSd, [-1, width]), state, 'decoder_norm');
    return {
      filled: asGrid(filled),
      conv: asGrid(aggregator.apply(filled, sourceCells(plan, options.source), state)),
      merged: asGrid(set.tokens_BSd),
      normed: asGrid(normed),
    };
  }
}

function describeMode(golden: Golden, prefix: string, mode: Mode, available: AvailableEngine): void {
  const tensors = withoutPrefix(golden.tensors, `${prefix}.`);
  const run = progressiveRun(sizesOf(tensors['config'] as HostTensor), mode);
  const specs = run.objective.params();
  let engine: Engine;
  let outputs: Readonly<Record<string, HostTensor>>;

  beforeAll(async () => {
    engine = await available.create();
    const values = paramsOf(tensors, run);
    await engine.define(Object.fromEntries(Object.entries(values).map(([name, { shape, data }]) => [name, { shape, init: () => data as Float32Array }])));
    const step = engine.compile(comparisonStep(run));
    const extra = run.options === undefined ? [] : ['filled', 'conv', 'merged', 'normed'];
    const wanted = ['loss', 'pred', ...extra, ...Object.keys(specs).map((name) => `grad.${name}`)];
    ({ outputs } = await step.run(inputsOf(tensors, run.sizes), { outputs: wanted }));
    step.dispose();
  });
  afterAll(() => engine.dispose());

  it('loss and predictions', () => {
    expectWithin('loss', outputs['loss'], tensors[`${mode}.loss`]);
    expectWithin('pred', outputs['pred'], tensors[`${mode}.pred`]);
  });
  it.each(Object.keys(specs))('gradient of %s', (name) => {
    const { layout } = specs[name] as (typeof specs)[string];
    const gradient = toFileLayout(layout, outputs[`grad.${name}`] as HostTensor);
    expectWithin(`grad.${caseName(name)}`, gradient, tensors[`${mode}.grad.${caseName(name)}`]);
  });
  if (mode === 'partial') return;
  it('filled grid, aggregation, merged and normed tokens', () => {
    expectWithin('filled', outputs['filled'], tensors['out.filled']);
    expectWithin('conv', outputs['conv'], tensors['out.conv']);
    expectWithin('merged', outputs['merged'], tensors[`${mode}.merged`]);
    expectWithin('normed', outputs['normed'], tensors[`${mode}.normed`]);
  });
}

describeGolden('progressive', /\.safetensors$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const golden = await loadGolden(file);
    const prefixes = Object.keys(golden.tensors).flatMap((name) => (name.endsWith('.config') ? [name.slice(0, -'.config'.length)] : []));
    it('holds configurations', () => expect(prefixes).not.toHaveLength(0));
    describe.each(prefixes)('configuration %s', (prefix) => {
      describe.each(available)('on the $name engine', (engine) => {
        describe.each(MODES)('%s', (mode) => describeMode(golden, prefix, mode, engine));
      });
    });
  });
});
