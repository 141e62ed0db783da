import { describe, expect, it } from 'vitest';
import { currentPart, part } from './scope.js';

describe('part', () => {
  it('names what is built inside, innermost name first', () => {
    const seen: string[] = [];
    const result = part('encoder', () => {
      seen.push(currentPart());
      part('patch', () => seen.push(currentPart()));
      seen.push(currentPart());
      return 3;
    });
    expect(seen).toEqual(['encoder', 'patch', 'encoder']);
    expect(result).toBe(3);
    expect(currentPart()).toBe('');
  });

  it('is left when building fails', () => {
    expect(() =>
      part('head', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(currentPart()).toBe('');
  });
});
