import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEMENT_TYPES, isFileDType } from './element-types.js';

const half = (bits: number): number => ELEMENT_TYPES.F16.decode(Uint16Array.of(bits).buffer)[0] as number;
const brain = (bits: number): number => ELEMENT_TYPES.BF16.decode(Uint16Array.of(bits).buffer)[0] as number;

describe('half precision', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xbc00, -1],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x03ff, (1023 / 1024) * 2 ** -14],
    [0xfc00, -Infinity],
  ])('reads 0x%s', (bits, value) => expect(half(bits)).toBe(value));
  it('keeps the sign of zero and reads what is no number', () => {
    expect(Object.is(half(0x8000), -0)).toBe(true);
    expect(half(0x7e00)).toBeNaN();
  });
  it('grows with its bits among positive numbers', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0x7bfe }), (bits) => half(bits + 1) > half(bits)));
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const word = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
        const cut = new Float32Array(Uint32Array.of((word & 0xffff0000) >>> 0).buffer)[0] as number;
        expect(brain(word >>> 16)).toBe(cut);
      }),
    );
  });
});

describe('64-bit integers', () => {
  const long = (...values: bigint[]): unknown => Array.from(ELEMENT_TYPES.I64.decode(BigInt64Array.from(values).buffer));
  it('fit from the least to the greatest of 32 bits', () => expect(long(-2147483648n, 2147483647n)).toEqual([-2147483648, 2147483647]));
  it('are refused beyond, with index and value', () => {
    expect(() => long(1n, -2147483649n)).toThrow(/element 1 is -2147483649/);
    expect(() => long(2147483648n)).toThrow(RangeError);
  });
});

describe('names of types', () => {
  it('are told from names that objects have anyway', () => expect(['F32', 'F8', 'toString', 3, undefined].map(isFileDType)).toEqual([true, false, false, false, false]));
  it('say how wide an element is', () => {
    for (const type of Object.values(ELEMENT_TYPES)) expect(type.decode(new ArrayBuffer(type.bytes * 3))).toHaveLength(3);
  });
});
