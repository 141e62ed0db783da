import { describe, expect, it } from 'vitest';
import { knnRows, markdownReport, type QuickstartResults } from './report.js';

const score = (accuracy: number, standardError: number): { accuracy: number; standardError: number } => ({ accuracy, standardError });
const measured = (features: string, few: number, all: number): QuickstartResults['knn'][number] => ({
  features,
  all: score(all, 0.003),
  few: [{ labelsPerClass: 10, draws: [few], ...score(few, 0.01) }],
});

const results: QuickstartResults = {
  preset: 'mae/mnist-quickstart',
  images: 240000,
  updates: 3750,
  trainSeconds: 100.4,
  totalSeconds: 160.6,
  engine: 'graph',
  costRatio: 0.8123,
  firstLoss: 1.23456,
  lastLoss: 0.34567,
  features: 'all patch tokens',
  knn: [measured('pre-trained', 0.801, 0.97), measured('raw pixels', 0.753, 0.971)],
};

describe('the report of the quickstart', () => {
  it('shows accuracies in percent, those of few labels with their standard error', () => {
    expect(knnRows(results.knn)).toEqual([
      ['features', '10 labels a class', 'all labels'],
      ['pre-trained', '80.1 ± 1.0 %', '97.0 %'],
      ['raw pixels', '75.3 ± 1.0 %', '97.1 %'],
    ]);
  });

  it('is a table with the pictures beside it', () => {
    const text = markdownReport(results);
    expect(text).toContain('| features | 10 labels a class | all labels |\n| --- | --- | --- |\n| pre-trained | 80.1 ± 1.0 % | 97.0 % |');
    expect(text).toContain('3750 updates on 240000 images in 100 s (161 s with evaluation) on graph');
    expect(text).toContain('frozen features (all patch tokens), the full test set');
    expect(text).toContain('Loss from 1.235 to 0.346');
    for (const picture of ['loss.png', 'reconstructions.png']) expect(text).toContain(`(${picture})`);
  });

  it('has a column for each number of labels that was tried', () => {
    const few = [1, 10].map((labelsPerClass) => ({ labelsPerClass, draws: [0.5], ...score(0.5, 0.02) }));
    const text = markdownReport({ ...results, knn: [{ ...measured('pre-trained', 0, 0.9), few }] });
    expect(text).toContain('| features | 1 labels a class | 10 labels a class | all labels |\n| --- | --- | --- | --- |\n');
    expect(text).toContain('| pre-trained | 50.0 ± 2.0 % | 50.0 ± 2.0 % | 90.0 % |');
  });

  it('is a whole page of one line each, which ends with a line break', () => {
    const lines = markdownReport(results).split('\n');
    expect(lines.at(-1)).toBe('');
    expect(lines[0]).toMatch(/^Preset `mae\/mnist-quickstart`, /);
    expect(lines.filter((line) => line.startsWith('|'))).toHaveLength(4);
  });

  it('has only its head where nothing was measured', () => {
    expect(knnRows([])).toEqual([['features', 'all labels']]);
  });
});
