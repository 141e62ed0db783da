import { describe, expect, it } from 'vitest';
import { letterOf, shortNames } from './report-run.js';

it('letters go on after Z', () => {
  expect([0, 1, 25, 26, 27, 52].map(letterOf)).toEqual(['A', 'B', 'Z', 'AA', 'AB', 'BA']);
});

describe('names of runs', () => {
  it('are those of their folders', () => {
    expect(shortNames(['/runs/first', '/runs/second'])).toEqual(['first', 'second']);
  });

  it('take in as much of the path as tells them apart', () => {
    expect(shortNames(['/x/a/run', '/x/b/run', '/x/c/other'])).toEqual(['a/run', 'b/run', 'other']);
  });
});
