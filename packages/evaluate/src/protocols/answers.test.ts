import type { HostTensor } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import type { Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../testing/tiny-evaluation.js';
import type { Classifier } from '../model/classifier.js';
import type { EvaluationContext, EvaluationRecord } from '../protocol/protocol.js';
import { createRespondent, testAnswers } from './answers.js';

let engine: Engine;
beforeAll(async () => {
  engine = await cpuEngine();
});
afterAll(() => {
  engine.dispose();
});

/** An image of `classes` pixels has its scores in them. */
const classifierOf = (classes: number): Classifier =>
  ({
    classes,
    params: () => ({}),
    features: (images_BHWC: tf.Tensor4D) => tf.reshape(images_BHWC, [-1, classes]),
    logits: (features_BD: tf.Tensor2D) => features_BD,
  }) as unknown as Classifier;

const released: number[] = [];
let closed = 0;
function loaderOf(batches: readonly { readonly labels: readonly number[]; readonly scores: readonly (readonly number[])[] }[]): Loader {
  return {
    size: batches.reduce((sum, { labels }) => sum + labels.length, 0),
    async *epoch() {
      for (const [index, { labels, scores }] of batches.entries()) {
        const images: HostTensor = { shape: [scores.length, 1, scores[0]?.length ?? 0, 1], dtype: 'uint8', data: Uint8Array.from(scores.flat()) };
        yield { inputs: { images }, labels: Int32Array.from(labels), index, release: () => released.push(index) } as unknown as LoaderBatch;
      }
    },
    close: async () => {
      closed++;
    },
  } as unknown as Loader;
}

const context = (signal = new AbortController().signal) => ({ engine, signal, model: { statistics: { mean: [0], std: [1 / 255] } } as unknown as EvaluationContext['model'] });
const TWO_BATCHES = [
  { labels: [2, 0], scores: [[1, 2, 3], [1, 9, 3]] },
  { labels: [1], scores: [[5, 5, 4]] },
];

describe('the answers of a classifier', () => {
  it('are the class with the highest score, image by image through all batches', async () => {
    const respondent = createRespondent(context(), classifierOf(3));
    const { predicted, labels, top5 } = await respondent.answers(loaderOf(TWO_BATCHES));
    expect([[...predicted], [...labels], top5]).toEqual([[2, 1, 0], [2, 0, 1], undefined]);
    respondent.dispose();
  });

  it('are one of the columns asked for, numbered by their places', async () => {
    const respondent = createRespondent(context(), classifierOf(3));
    // The images know classes 2 and 0 of the head, in this order.
    const { predicted } = await respondent.answers(loaderOf([{ labels: [0, 1], scores: [[1, 9, 3], [4, 9, 3]] }]), Int32Array.of(2, 0));
    expect([...predicted]).toEqual([0, 1]);
    respondent.dispose();
  });

  it('count the label among the five highest over all batches, where there are more classes', async () => {
    const respondent = createRespondent(context(), classifierOf(6));
    const falling = [6, 5, 4, 3, 2, 1];
    const { top5 } = await respondent.answers(loaderOf([{ labels: [4, 5], scores: [falling, falling] }, { labels: [0], scores: [falling] }]));
    expect(top5).toBeCloseTo(2 / 3, 12);
    const five = await respondent.answers(loaderOf([{ labels: [4], scores: [falling] }]), Int32Array.of(0, 1, 2, 3, 4));
    expect(five.top5).toBeUndefined();
    respondent.dispose();
  });

  it('come for a large set behind a small one', async () => {
    const respondent = createRespondent(context(), classifierOf(3));
    await respondent.answers(loaderOf([{ labels: [1], scores: [[5, 5, 4]] }]));
    expect([...(await respondent.answers(loaderOf(TWO_BATCHES))).predicted]).toEqual([2, 1, 0]);
    respondent.dispose();
  });

  it('end behind the batch in which that is asked for, which goes back to the loader', async () => {
    released.length = 0;
    const controller = new AbortController();
    const respondent = createRespondent(context(controller.signal), classifierOf(3));
    controller.abort();
    await expect(respondent.answers(loaderOf(TWO_BATCHES))).rejects.toThrow('the evaluation was stopped');
    expect(released).toEqual([0]);
    respondent.dispose();
  });
});

describe('answers about the test images', () => {
  const asking = (records: EvaluationRecord[], loader: Loader): EvaluationContext =>
    ({ ...context(), data: { openTest: async () => loader }, report: (record: EvaluationRecord) => records.push(record) }) as unknown as EvaluationContext;

  it('are reported as they come, and the loader is closed', async () => {
    const records: EvaluationRecord[] = [];
    closed = 0;
    await testAnswers(asking(records, loaderOf(TWO_BATCHES)), classifierOf(3), 2);
    expect(records.map((record) => (record.kind === 'progress' ? [record.stage, record.done, record.total] : []))).toEqual([['test images', 2, 3], ['test images', 3, 3]]);
    expect(closed).toBe(1);
  });

  it('close the loader where they fail', async () => {
    closed = 0;
    await expect(testAnswers(asking([], { ...loaderOf([]), epoch: () => { throw new Error('torn'); } } as Loader), classifierOf(3), 2)).rejects.toThrow('torn');
    expect(closed).toBe(1);
  });
});
