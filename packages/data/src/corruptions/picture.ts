import type { SourceImage } from '../contract.js';

/** An image on the scale 0 .. 1: [height, width, channels], row-major. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

export const pictureOf = ({ height, width, channels, pixels }: SourceImage): Picture => ({ height, width, channels, values: Float64Array.from(pixels, (value) => value / 255) });

export const clip = (value: number, most = 1): number => (value <= 0 ? 0 : value >= most ? most : value);

/** Bytes, cut to whole numbers as the published scripts do; the small term keeps 255 (k / 255) from falling to k - 1. */
export const imageOf = ({ height, width, channels, values }: Picture): SourceImage => ({ height, width, channels, pixels: Uint8Array.from(values, (value) => Math.floor(clip(value) * 255 + 1e-9)) });

/** The picture with other values: `change` gets each value, its place in `values` and its pixel's number. */
export const mapped = (picture: Picture, change: (value: number, place: number, pixel: number) => number): Picture => ({
  ...picture,
  values: picture.values.map((value, place) => change(value, place, Math.floor(place / picture.channels))),
});

/** A picture of one channel. */
export const plane = (height: number, width: number, value: (pixel: number) => number): Picture => ({ height, width, channels: 1, values: Float64Array.from({ length: height * width }, (_, pixel) => value(pixel)) });

/** How an index beyond the rim comes back into 0 .. size - 1. */
export type Border = (index: number, size: number) => number;

export const nearest: Border = (index, size) => Math.min(Math.max(index, 0), size - 1);

/** c b a | a b c | c b a */
export const reflectWhole: Border = (index, size) => {
  const place = ((index % (2 * size)) + 2 * size) % (2 * size);
  return place < size ? place : 2 * size - 1 - place;
};

/** c b | a b c | b a */
export const reflectInner: Border = (index, size) => {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const place = ((index % period) + period) % period;
  return place < size ? place : period - place;
};

/** The picture read at other places, with bilinear interpolation. */
export function sampled({ height, width, channels, values }: Picture, size: Pick<Picture, 'height' | 'width'>, placeOf: (y: number, x: number) => readonly [y: number, x: number], border: Border): Picture {
  const out = new Float64Array(size.height * size.width * channels);
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const [fromY, fromX] = placeOf(y, x);
      const top = Math.floor(fromY);
      const left = Math.floor(fromX);
      const [dy, dx] = [fromY - top, fromX - left];
      const [y0, y1] = [border(top, height) * width, border(top + 1, height) * width];
      const [x0, x1] = [border(left, width), border(left + 1, width)];
      for (let c = 0; c < channels; c++) {
        const value = (pixel: number): number => values[pixel * channels + c] as number;
        out[at++] = (1 - dy) * ((1 - dx) * value(y0 + x0) + dx * value(y0 + x1)) + dy * ((1 - dx) * value(y1 + x0) + dx * value(y1 + x1));
      }
    }
  }
  return { ...size, channels, values: out };
}

/** Enlarges the middle so that the size stays: every side by `factor`, bilinear, corner on corner. */
export function clippedZoom(picture: Picture, factor: number): Picture {
  const { height, width } = picture;
  const axis = (side: number): ((place: number) => number) => {
    const cut = Math.ceil(side / factor);
    const start = Math.floor((side - cut) / 2);
    const grown = Math.round(cut * factor);
    const trim = Math.floor((grown - side) / 2);
    return (place) => start + (grown > 1 ? ((place + trim) * (cut - 1)) / (grown - 1) : 0);
  };
  const [down, across] = [axis(height), axis(width)];
  return sampled(picture, picture, (y, x) => [down(y), across(x)], nearest);
}
