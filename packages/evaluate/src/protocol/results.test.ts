import { DataError } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictionsFromScores, summarize, wilsonInterval } from './results.js';

describe('the interval of a share', () => {
  it.each([
    [8, 10, 0.4902, 0.9433],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [9500, 10000, 0.9456, 0.9541],
  ])('of %d right of %d is what Wilson gives', (correct, samples, low, high) => {
    const interval = wilsonInterval(correct, samples);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('is everything where nothing was asked', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it('holds the share, stays inside 0..1 and shrinks with more images', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (samples, share) => {
        const correct = Math.round(share * samples);
        const { low, high } = wilsonInterval(correct, samples);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(correct / samples);
        expect(high).toBeGreaterThanOrEqual(correct / samples);
        const more = wilsonInterval(4 * correct, 4 * samples);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });
});

describe('a summary', () => {
  const summary = summarize({ predicted: Int32Array.of(0, 1, 1, 0), labels: Int32Array.of(0, 0, 1, 1), top5: 0.75, details: { k: 5 } }, ['cat', 'dog', 'eel']);

  it('counts right answers, overall and by class', () => {
    expect(summary).toMatchObject({ accuracy: 0.5, correct: 2, samples: 4, top5: 0.75, details: { k: 5 } });
    expect(summary.perClass).toEqual([
      { name: 'cat', samples: 2, correct: 1, accuracy: 0.5 },
      { name: 'dog', samples: 2, correct: 1, accuracy: 0.5 },
      { name: 'eel', samples: 0, correct: 0, accuracy: null },
    ]);
  });

  it('says which class was taken for which', () => {
    expect(summary.confusion).toEqual([[1, 1, 0], [1, 1, 0], [0, 0, 0]]);
  });

  it('counts further sets by their own classes', () => {
    const other = { predicted: Int32Array.of(1), labels: Int32Array.of(1), classes: ['dog', 'fox'] };
    const { accuracy, sets } = summarize({ predicted: Int32Array.of(0), labels: Int32Array.of(1), sets: { other } }, ['cat', 'dog']);
    expect(accuracy).toBe(0);
    expect(sets).toEqual({ other: expect.objectContaining({ accuracy: 1, samples: 1, confusion: [[0, 0], [0, 1]] }) as unknown });
    expect(summary.sets).toBeUndefined();
  });

  it('refuses answers that fit neither labels nor classes', () => {
    expect(() => summarize({ predicted: Int32Array.of(0), labels: Int32Array.of(0, 1) }, ['a', 'b'])).toThrow(DataError);
    expect(() => summarize({ predicted: Int32Array.of(2), labels: Int32Array.of(0) }, ['a', 'b'])).toThrow(/image 0 has label 0 and prediction 2, there are 2 classes/);
  });
});

describe('answers from scores', () => {
  it('are the highest score, the lower class of equal ones', () => {
    const { predicted, top5 } = predictionsFromScores(Float32Array.of(1, 3, 2, 5, 5, 0), Int32Array.of(1, 1), 3);
    expect([...predicted]).toEqual([1, 0]);
    expect(top5).toBeUndefined();
  });

  it('tell how often the label is among five of more classes', () => {
    const scores = Float32Array.of(6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1);
    expect(predictionsFromScores(scores, Int32Array.of(4, 5), 6).top5).toBe(0.5);
    // Of equal scores the lower classes come first.
    expect(predictionsFromScores(new Float32Array(12), Int32Array.of(4, 5), 6).top5).toBe(0.5);
  });
});
