import type { SourceImage } from '../contract.js';

/** Where the result's point (x, y) lies in the source: (a x + b y + c, d x + e y + f). */
export type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Turns about the centre, against the clock. */
export function rotation({ height, width }: Pick<SourceImage, 'height' | 'width'>, degrees: number): AffineMap {
  const angle = (-degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y];
}

/** The cubic through four values at -1, 0, 1, 2; Pillow's transforms have a = -1 where its resizing has a = -0.5. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  return v2 + d * (v3 - v1 + d * (2 * (v1 - v2) + v3 - v4 + d * (v2 - v1 - v3 + v4)));
}

/**
 * Moves pixels by an affine map with bicubic interpolation, as Pillow's `Image.transform` does.
 * @param fill value of each channel where the map leaves the source
 */
export function affine(image: SourceImage, [a, b, c, d, e, f]: AffineMap, fill: readonly number[]): SourceImage {
  const { height, width, channels, pixels } = image;
  const out = new Uint8Array(pixels.length);
  const column = (x: number): number => Math.min(Math.max(x, 0), width - 1) * channels;
  const row = (y: number): number => Math.min(Math.max(y, 0), height - 1) * width * channels;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c;
      const fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)) {
        for (let channel = 0; channel < channels; channel++) out[at++] = fill[channel] as number;
        continue;
      }
      const left = Math.floor(fromX - 0.5);
      const top = Math.floor(fromY - 0.5);
      const dx = fromX - 0.5 - left;
      const dy = fromY - 0.5 - top;
      const [x0, x1, x2, x3] = [column(left - 1), column(left), column(left + 1), column(left + 2)];
      for (let channel = 0; channel < channels; channel++) {
        const along = (line: number): number => {
          const from = row(line) + channel;
          return cubic(pixels[from + x0] as number, pixels[from + x1] as number, pixels[from + x2] as number, pixels[from + x3] as number, dx);
        };
        const value = cubic(along(top - 1), along(top), along(top + 1), along(top + 2), dy);
        out[at++] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
      }
    }
  }
  return { ...image, pixels: out };
}
