import { readSettings } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluationPlan, EvaluationSettings, nameOf, overridesOf, repeatedNames } from './evaluation-settings.js';

const read = (given: object): EvaluationSettings => EvaluationSettings.parse({ protocol: 'knn', ...given });

describe('an evaluation that a file asks for', () => {
  it('uses all labels and no settings unless it says so', () => {
    expect(evaluationPlan(read({}), 3)).toEqual({ name: 'knn', protocol: 'knn', labels: 'all', seed: 3, set: [] });
  });

  it('may have a name, data, labels and settings of its own', () => {
    expect(evaluationPlan(read({ name: 'near', labels: 10, data: 'mnist', set: { k: 5, 'data.workers': 0 } }), 0)).toEqual({ name: 'near', protocol: 'knn', labels: '10', seed: 0, data: 'mnist', set: ['k=5', 'data.workers=0'] });
  });

  it.each([[{ labels: 0 }], [{ labels: 1.5 }], [{ protocol: '' }], [{ name: '' }], [{ data: '' }], [{ set: [] }], [{ seed: 1 }]])('is refused with %j', (given) => {
    expect(EvaluationSettings.safeParse({ protocol: 'knn', ...given }).success).toBe(false);
  });

  it('is called by its protocol where it has no name', () => {
    expect([nameOf({ protocol: 'knn' }), nameOf({ protocol: 'knn', name: 'near' })]).toEqual(['knn', 'near']);
  });
});

describe('names that repeat', () => {
  it('are found at their second place, given and usual ones alike', () => {
    expect(repeatedNames([read({}), read({ name: 'a' }), read({ name: 'knn' }), read({ name: 'a' })])).toEqual([{ index: 2, name: 'knn' }, { index: 3, name: 'a' }]);
  });

  it('are none where all differ', () => {
    expect(repeatedNames([read({}), read({ name: 'a' })])).toEqual([]);
  });
});

describe('settings on a command line', () => {
  it('are read back as they were, whatever the text', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string()), fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string()));
    fc.assert(
      fc.property(value, (given) => {
        expect(readSettings(overridesOf({ key: given }))).toEqual({ key: given });
      }),
      { numRuns: 200 },
    );
  });
});
