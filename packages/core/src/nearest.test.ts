import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from './nearest.js';

describe('nearest', () => {
  it('finds a misspelt key', () => expect(nearest('maskratio', ['depth', 'maskRatio'])).toBe('maskRatio'));
  it('finds a key with a letter left out', () => expect(nearest('trow', ['wrap', 'throw', 'merge'])).toBe('throw'));
  it('prefers the nearer of two', () => expect(nearest('minLR', ['baseLr', 'minLr'])).toBe('minLr'));
  it('stays silent when nothing is near', () => expect(nearest('optimizer', ['depth', 'width'])).toBeUndefined());
  it('does not offer a short key that shares no letter', () => expect(nearest('a', ['lr', 'b'])).toBeUndefined());
  it('stays silent without candidates', () => expect(nearest('a', [])).toBeUndefined());
});

describe('didYouMean', () => {
  it('makes a clause', () => expect(didYouMean('dept', ['depth'])).toBe(`; did you mean 'depth'?`));
  it('makes nothing when nothing is near', () => expect(didYouMean('zzz', ['depth'])).toBe(''));
});
