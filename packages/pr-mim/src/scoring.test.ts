import { cellsOf } from '@mimlab/core';
import { expect, test } from 'vitest';
import { hostRun, planOf, samplePlans } from './host.fixture.js';
import { weightsByRole, weightsOfPicks } from './scoring.js';

const run = hostRun({ throw: 0.25, sampling: 'random' });
const plans = samplePlans(run, 3);
const plan = planOf(plans, run.grid);
const N = cellsOf(run.grid);
const rows = (weights: { dataSync(): ArrayLike<number> }): number[][] => {
  const flat = Array.from(weights.dataSync());
  return plans.map((_, b) => flat.slice(b * N, (b + 1) * N));
};

test('each group has its weight, visible tokens none', () => {
  const weights = rows(weightsByRole({ retained: 2, thrown: 0.5 })(plan));
  plans.forEach(({ visible, retained, thrown }, b) => {
    for (const [cells, weight] of [[visible, 0], [retained, 2], [thrown, 0.5]] as const) for (const cell of cells) expect(weights[b]?.[cell]).toBe(weight);
  });
});

test('where nothing is thrown only retained tokens weigh', () => {
  const whole = hostRun();
  const unwrapped = planOf(samplePlans(whole, 2), whole.grid);
  const weights = Array.from(weightsByRole({ retained: 1, thrown: 1 })(unwrapped).dataSync());
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(2 * 12);
});

test('of a subset the first picks weigh, in every image', () => {
  const subset = hostRun({ throw: 0.5, reconstruction: 'subset' });
  const made = samplePlans(subset, 3);
  const weights = Array.from(weightsOfPicks(() => 4)(planOf(made, subset.grid)).dataSync());
  made.forEach(({ retained }, b) => {
    const picked = Array.from({ length: N }, (_, cell) => cell).filter((cell) => weights[b * N + cell] === 1);
    expect(picked).toEqual([...retained.slice(0, 4)].sort((x, y) => x - y));
  });
  expect(weights.every((weight) => weight === 0 || weight === 1)).toBe(true);
});
