import { DataError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { repeatGrey, toGrey, withChannels } from './channels.js';

const one = (channels: number, ...pixels: number[]): Parameters<typeof withChannels>[0] => ({ height: 1, width: pixels.length / channels, channels, pixels: Uint8Array.from(pixels) });

describe('withChannels', () => {
  it('drops the alpha of colours', () => {
    expect([...withChannels(one(4, 1, 2, 3, 128, 4, 5, 6, 0), 3).pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('drops the alpha of grey images', () => {
    expect([...withChannels(one(2, 7, 0, 9, 255), 1).pixels]).toEqual([7, 9]);
  });

  it('repeats grey with alpha over three channels', () => {
    expect([...withChannels(one(2, 7, 0, 9, 255), 3).pixels]).toEqual([7, 7, 7, 9, 9, 9]);
  });

  it('takes the brightness of colours with alpha', () => {
    expect([...withChannels(one(4, 0, 255, 0, 3), 1).pixels]).toEqual([150]);
  });

  it('gives the image itself when nothing changes', () => {
    const image = one(3, 1, 2, 3);
    expect(withChannels(image, 3)).toBe(image);
  });

  it('refuses other numbers of channels', () => {
    expect(() => withChannels(one(3, 1, 2, 3), 2)).toThrow(DataError);
  });
});

describe('toGrey', () => {
  it('keeps grey colours', () => {
    for (const value of [0, 1, 127, 128, 254, 255]) expect([...toGrey(one(3, value, value, value)).pixels]).toEqual([value]);
  });
});

describe('repeatGrey', () => {
  it('fills every channel', () => {
    const out = new Uint8Array(6);
    repeatGrey(Uint8Array.of(5, 8), 3, out);
    expect([...out]).toEqual([5, 5, 5, 8, 8, 8]);
  });
});
