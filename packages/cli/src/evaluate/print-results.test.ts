import type { EvaluationResults } from '@mimlab/evaluate';
import { describe, expect, it } from 'vitest';
import { resultLines } from './print-results.js';

type ClassRow = EvaluationResults['perClass'][number];
const row = (name: string, correct: number, samples = 10): ClassRow => ({ name, samples, correct, accuracy: samples === 0 ? null : correct / samples });
const set = (accuracy: number, perClass: readonly ClassRow[] = [row('cat', 5), row('dog', 7)]) => ({ accuracy, interval: { low: 0.4, high: 0.75 }, samples: 20, correct: 12, perClass, confusion: [] });
const results = (changed: object = {}): EvaluationResults => ({ protocol: 'knn', labelled: 0, leaks: [], ...set(0.6), ...changed }) as unknown as EvaluationResults;

describe('what a person sees of an evaluation', () => {
  it('begins with the accuracy, its interval and the counts behind it', () => {
    expect(resultLines(results())[0]).toBe('knn: 60.00 % right (40.00 % to 75.00 % with 95 % confidence), 12 of 20 test images');
  });

  it('says how many labelled images were learnt from, where there were any', () => {
    expect(resultLines(results({ labelled: 50 }))[0]).toMatch(/ test images, 50 labelled images$/);
  });

  it('has the five best answers only where they were counted', () => {
    expect(resultLines(results({ top5: 0.905 }))).toContain('among the five best: 90.50 %');
    expect(resultLines(results()).join('\n')).not.toContain('five best');
  });

  it('names the five hardest classes, the worst first, without those that have no image', () => {
    const perClass = [row('a', 9), row('ü', 0), row('empty', 0, 0), row('c', 3), row('d', 2), row('e', 8), row('f', 7)];
    expect(resultLines(results({ perClass }))).toContain('hardest classes: ü 0.00 %, d 20.00 %, c 30.00 %, f 70.00 %, e 80.00 %');
  });

  it('says nothing of classes where no image has one', () => {
    expect(resultLines(results({ perClass: [row('empty', 0, 0)] })).join('\n')).not.toContain('hardest');
  });

  it('leaves the order of the results as it is', () => {
    const perClass = [row('a', 9), row('b', 1)];
    resultLines(results({ perClass }));
    expect(perClass.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('ends with further sets of images, each with the number of its classes', () => {
    expect(resultLines(results({ sets: { 'imagenet-a': set(0.05) } })).at(-1)).toBe(
      'imagenet-a: 5.00 % right (40.00 % to 75.00 % with 95 % confidence), 12 of 20 images of 2 classes',
    );
  });
});
