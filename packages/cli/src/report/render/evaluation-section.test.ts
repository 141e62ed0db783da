import { describe, expect, it } from 'vitest';
import type { ReportedResults } from '../evaluation-results.js';
import { confusionTable } from './confusion-table.js';
import { evaluationSection } from './evaluation-section.js';

const A = { letter: 'A', name: 'first' };
const B = { letter: 'B', name: 'second' };
const words = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ');
const classes = (accuracies: readonly (number | null)[]): ReportedResults['perClass'] => accuracies.map((accuracy, at) => ({ name: `c${at}`, samples: accuracy === null ? 0 : 10, correct: 10 * (accuracy ?? 0), accuracy }));
const results = (more: Partial<ReportedResults> = {}): ReportedResults => ({ protocol: 'knn', accuracy: 0.75, interval: { low: 0.71, high: 0.79 }, samples: 100, correct: 75, labelled: 50, perClass: [], confusion: [], ...more });
const listed = (markup: string): string[] => [...markup.matchAll(/<th scope="row">(c\d+)<\/th>/g)].map(([, name]) => name as string);

describe('the table of accuracies', () => {
  it('draws intervals on one scale, which ends at twentieths around them', () => {
    const { markup } = evaluationSection([A, B], [{ name: 'knn', results: [results(), results({ accuracy: 0.85, interval: { low: 0.84, high: 0.89 } })] }]);
    expect(markup).toContain('<span>70.0</span><span>90.0</span>');
    expect([...markup.matchAll(/class="span" d="M([\d.]+) 8H([\d.]+)"/g)].map(([, low, high]) => [low, high])).toEqual([['5.00', '45.00'], ['70.00', '95.00']]);
    expect([...markup.matchAll(/class="point" d="M([\d.]+) /g)].map(([, place]) => place)).toEqual(['25.00', '75.00']);
  });

  it('has a scale even where nothing is uncertain', () => {
    const { markup } = evaluationSection([A], [{ name: 'knn', results: [results({ accuracy: 1, interval: { low: 1, high: 1 } })] }]);
    expect(markup).toContain('class="point" d="M0.00 ');
  });

  it('has a column for the five likeliest classes where some run has one', () => {
    const both = words(evaluationSection([A, B], [{ name: 'knn', results: [results({ top5: 0.9 }), results()] }]).markup);
    expect(both).toContain('top 5, %');
    expect(both).toMatch(/A first 75\.0 71\.0 79\.0 90\.0 100 50 B second 75\.0 71\.0 79\.0 – 100 50/);
    expect(evaluationSection([A], [{ name: 'knn', results: [results()] }]).markup).not.toContain('top 5');
  });

  it('keeps the colour of a run whichever runs were evaluated', () => {
    expect(evaluationSection([A, B], [{ name: 'knn', results: [undefined, results()] }]).markup).toContain('aria-hidden="true" class="run-1"');
  });

  it('stands under the name of its evaluation, each group by itself', () => {
    const { markup } = evaluationSection([A], [{ name: 'knn <all>', results: [results()] }, { name: 'linear', results: [results()] }]);
    expect([...markup.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, name]) => name)).toEqual(['knn &lt;all&gt;', 'linear']);
  });
});

describe('the table of classes', () => {
  const of = (accuracies: readonly (number | null)[]): string => evaluationSection([A], [{ name: 'knn', results: [results({ perClass: classes(accuracies) })] }]).markup;

  it('lists up to 24 in their order', () => {
    expect(listed(of(Array.from({ length: 24 }, () => 0.5)))).toEqual(Array.from({ length: 24 }, (_, at) => `c${at}`));
  });

  it('lists of more the ten hardest, then the ten easiest', () => {
    const markup = of(Array.from({ length: 30 }, (_, at) => (at % 2 === 0 ? at : 29 - at + 1) / 30));
    expect(listed(markup)).toHaveLength(20);
    expect(listed(markup)[0]).toBe('c0');
    expect(words(markup)).toContain('the 10 lowest and 10 highest of 30 classes, by run A');
  });

  it('takes classes without a test image for neither', () => {
    const markup = of([...Array.from({ length: 12 }, () => null), ...Array.from({ length: 18 }, (_, at) => at / 18)]);
    expect(listed(markup)).toEqual(Array.from({ length: 18 }, (_, at) => `c${at + 12}`));
  });

  it('has a dash for a class that another run lacks', () => {
    const { markup } = evaluationSection([A, B], [{ name: 'knn', results: [results({ perClass: classes([0.5, 0.25]) }), results({ perClass: classes([0.5]) })] }]);
    expect(words(markup)).toContain('c1 10 25.0 –');
  });
});

describe('confusions', () => {
  const many = (confusion: readonly (readonly [row: number, column: number, count: number])[]): string => {
    const table = Array.from({ length: 25 }, () => Array<number>(25).fill(0));
    for (const [row, column, count] of confusion) (table[row] as number[])[column] = count;
    return confusionTable(0, A, { perClass: classes(Array<number>(25).fill(0.5)), confusion: table }).markup;
  };

  it('are a map for up to 24 classes, with right answers marked', () => {
    const { markup } = confusionTable(0, A, { perClass: classes([1, 0.5]), confusion: [[2, 0], [0, 0]] });
    expect(markup).toContain('<th scope="row">c0</th><td class="right" style="--share:1.000">2</td><td style="--share:0.000">0</td>');
    expect(markup).toContain('<th scope="row">c1</th><td style="--share:0">0</td><td class="right" style="--share:0">0</td>');
  });

  it('are the most frequent mistakes of more, with their share of the class', () => {
    expect(words(many([[3, 4, 2], [5, 6, 8], [7, 7, 9]]))).toMatch(/of the class, % c5 c6 8 80\.0 c3 c4 2 20\.0 $/);
  });

  it('are at most twenty mistakes', () => {
    expect(listed(many(Array.from({ length: 24 }, (_, at) => [at, at + 1, at + 1] as const)))).toHaveLength(20);
  });

  it('need no images of a class that is said to have none', () => {
    const table = Array.from({ length: 25 }, (_, row) => Array.from({ length: 25 }, (__, column) => Number(row === 0 && column === 1)));
    expect(words(confusionTable(0, A, { perClass: classes(Array<null>(25).fill(null)), confusion: table }).markup)).toContain('c0 c1 1 100.0');
  });
});
