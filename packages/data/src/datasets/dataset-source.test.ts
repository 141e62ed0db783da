import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packStrings, unpackString } from './dataset-source.js';

describe('packStrings', () => {
  it('gives back every string', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (strings) => {
        const packed = packStrings(strings);
        expect(strings.map((_, i) => unpackString(packed, i))).toEqual(strings);
      }),
    );
  });

  it('lies on shared memory', () => {
    const { bytes, offsets } = packStrings(['ä/1.jpg', 'b\n.jpg']);
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(offsets.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
