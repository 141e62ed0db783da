import type { TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import type { SamplerGeometry } from '../sampler-geometry.js';
import { geometrySection, stepsText, type GeometryOfRun } from './geometry-section.js';

const plan = (columns: number): TokenPlan => ({ grid: { rows: 1, columns }, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.from({ length: columns - 2 }, (_, at) => at + 2) });
const measured: NonNullable<SamplerGeometry['measured']> = { mean: 1, max: 1, worst: 1, isolated: { 3: 0, 5: 0, 7: 0 }, images: 0, cover: 1, around: 2, distances: [{ distance: 1, share: 1 }] };
const run = (letter: string, more: Partial<SamplerGeometry> = {}, columns = 4): GeometryOfRun => ({
  letter,
  name: `run ${letter}`,
  geometry: { plans: 10, example: plan(columns), exampleDistances: Float64Array.from({ length: columns - 2 }, (_, at) => at + 1), withoutAttention: false, measured, ...more },
});
const idle = (letter: string): GeometryOfRun => ({ letter, name: letter, geometry: { plans: 10, example: plan(2), exampleDistances: new Float64Array(0), withoutAttention: false } });
const words = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ');

describe('the geometry of samplers', () => {
  it('has a row for every distance that some run has, nothing where another has none', () => {
    const other = { ...measured, distances: [{ distance: 1, share: 0.5 }, { distance: 2, share: 0.5 }] };
    expect(words(geometrySection([run('A'), run('B', { measured: other })]).markup)).toContain('1 100.00 50.00 2 0.00 50.00');
  });

  it('keeps the colour of a run behind one that throws nothing', () => {
    const { markup } = geometrySection([idle('A'), run('B')]);
    expect(markup).toContain('<span class="bar run-1"');
    expect(markup).not.toContain('<span class="bar run-0"');
  });

  it('has no table where no run throws anything', () => {
    const { markup } = geometrySection([idle('A'), idle('B')]);
    expect(words(markup)).toContain('Nothing is thrown: A B');
    expect(words(markup)).toContain('There are no distances to measure.');
    expect(markup).not.toContain('<table');
  });

  it('writes distances into the cells of a plan as long as there is room', () => {
    const numbers = (columns: number): number => geometrySection([run('A', {}, columns)]).markup.match(/<text /g)?.length ?? 0;
    expect([numbers(4), numbers(16), numbers(17)]).toEqual([2, 14, 0]);
  });

  it('draws far cells darker, up to a distance', () => {
    const depths = [...geometrySection([run('A', {}, 6)]).markup.matchAll(/--depth:([\d.]+)/g)].map(([, depth]) => depth);
    expect(depths).toEqual(['0.33', '0.67', '1.00', '1.00']);
  });

  it('explains each column that has a meaning of its own', () => {
    const { markup } = geometrySection([run('A')]);
    expect(markup.match(/<span class="term">/g)).toHaveLength(7);
    expect(words(markup)).toContain('cover : largest distance to a retained token, averaged over images.');
  });
});

it('steps are roots where they are not whole', () => {
  expect([Math.sqrt(10), 3, Math.sqrt(13)].map(stepsText)).toEqual(['√10', '3', '√13']);
});
