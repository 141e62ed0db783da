import { describe, expect, it } from 'vitest';
import { addMacs, totalMacs } from './cost.js';

describe('costs', () => {
  it('add up part by part', () => expect(addMacs({ encoder: 3, head: 1 }, { head: 2 }, {})).toEqual({ encoder: 3, head: 3 }));
  it('have a total', () => expect(totalMacs({ encoder: 3, head: 3 })).toBe(6));
  it('are zero where there are none', () => expect(totalMacs(addMacs())).toBe(0));
});
