import { describe, expect, it } from 'vitest';
import { asBlock, currentBlock, currentPart, part } from './scope.js';

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

describe('asBlock', () => {
  it('numbers what is built inside anew each time', () => {
    const [first, second] = [asBlock(currentBlock), asBlock(currentBlock)];
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
    expect(currentBlock()).toBe(0);
  });

  it('is one with the block around it', () => {
    asBlock(() => {
      const outer = currentBlock();
      expect(asBlock(currentBlock)).toBe(outer);
      expect(currentBlock()).toBe(outer);
    });
  });

  it('is left when building fails', () => {
    expect(() =>
      asBlock(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(currentBlock()).toBe(0);
  });
});
