import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eachDot, GLYPH, textWidth } from './pixel-font.js';

/** Seven rows of a text. */
function drawn(text: string): string[] {
  const rows = Array.from({ length: GLYPH.height }, () => Array<string>(textWidth(text)).fill('.'));
  eachDot(text, (x, y) => {
    (rows[y] as string[])[x] = '#';
  });
  return rows.map((row) => row.join(''));
}

describe('the dot font', () => {
  it('draws a letter by its dots', () => {
    expect(drawn('L')).toEqual(['#....', '#....', '#....', '#....', '#....', '#....', '#####']);
  });

  it('puts characters beside each other with a gap of one dot', () => {
    expect(drawn('LL')[6]).toBe('#####.#####');
  });

  it.each([['−', '-'], ['–', '-'], ['·', '.'], ['×', 'x'], ['…', '.']])('draws %s as %s, which it has', (character, like) => {
    expect(drawn(character)).toEqual(drawn(like));
  });

  it('leaves a space empty', () => {
    expect(drawn(' ').join('')).not.toContain('#');
  });

  it.each(['ä', '漢', '🙂', '\n'])('draws %o, which it has not, as one question mark', (character) => {
    expect(drawn(character)).toEqual(drawn('?'));
  });

  it('keeps to the width and height that it says, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 8 }), (text) => {
        eachDot(text, (x, y) => {
          expect(x >= 0 && x < textWidth(text) && y >= 0 && y < GLYPH.height).toBe(true);
        });
      }),
    );
  });
});
