import type { Crop, ImageSpec, RandomStream } from '@mimlab/core';
import type { AugmentSpec, SourceImage } from '../contract.js';
import { repeatGrey, withChannels } from './channels.js';
import { centreCrop, coveringSize, randomCrop, type Size } from './crop.js';
import { reflectedWindow } from './reflected-window.js';
import { resize, type Box, type ResizeFilter } from './resize.js';

/**
 * Brings one image to the run's size and channels, on uint8.
 *
 * @param stream the image's own, `(seed, 'augment', epoch, sampleId)`; only random crops draw from it.
 * @param out uint8 [height, width, channels], filled whole.
 * @returns where the result lies in the source image; not whole numbers where the image was resized before it was cut.
 */
export function augmentInto(source: SourceImage, spec: ImageSpec, augment: AugmentSpec, stream: RandomStream, out: Uint8Array): Crop {
  // A grey source is repeated after resizing: the same values at a third of the work.
  const image = source.channels === 1 ? source : withChannels(source, spec.channels);
  const { crop, pixels } = viewOf(image, spec, augment, stream);
  if (crop.flip) flipRows(pixels, spec.width, image.channels);
  if (image.channels === spec.channels) out.set(pixels);
  else repeatGrey(pixels, spec.channels, out);
  return crop;
}

type SimpleCropSpec = Extract<AugmentSpec, { kind: 'simple-crop' }>;

interface View {
  readonly crop: Crop;
  readonly pixels: Uint8Array;
}

function viewOf(image: SourceImage, spec: ImageSpec, augment: AugmentSpec, stream: RandomStream): View {
  switch (augment.kind) {
    case 'none':
      return evaluationView(image, spec, augment.cropFraction ?? 1);
    case 'whole':
      return cutView(image, spec, { top: 0, left: 0, height: image.height, width: image.width, sourceHeight: image.height, sourceWidth: image.width, flip: false });
    case 'random-resized-crop':
      return cutView(image, spec, randomCrop(image.height, image.width, augment, stream), augment.interpolation);
    case 'simple-crop':
      return simpleView(image, spec, augment, stream);
  }
}

const cutView = (image: SourceImage, { height, width }: ImageSpec, crop: Crop, filter: ResizeFilter = 'bicubic'): View => ({
  crop,
  pixels: resize(image, { box: crop, height, width, filter }),
});

function evaluationView(image: SourceImage, spec: ImageSpec, fraction: number): View {
  const { height, width, window } = centreCrop(image, spec, fraction);
  return { crop: cropOf(image, { height, width }, window, false), pixels: resize(image, { height, width, window }) };
}

/** The flip is drawn first, as in other random crops. */
function simpleView(image: SourceImage, spec: ImageSpec, { padding, flip, interpolation = 'bicubic' }: SimpleCropSpec, stream: RandomStream): View {
  const flipped = stream.uniform() < flip;
  const size = coveringSize(image, spec);
  const place = (side: 'height' | 'width'): number => stream.int(size[side] + 2 * padding - spec[side] + 1) - padding;
  const window = { top: place('height'), left: place('width'), height: spec.height, width: spec.width };
  return { crop: cropOf(image, size, window, flipped), pixels: reflectedWindow(image, { ...size, window, filter: interpolation }) };
}

/** Where a window of the resized image lies in the source. */
const cropOf = ({ height, width }: SourceImage, size: Size, window: Box, flip: boolean): Crop => ({
  top: (window.top * height) / size.height,
  left: (window.left * width) / size.width,
  height: (window.height * height) / size.height,
  width: (window.width * width) / size.width,
  sourceHeight: height,
  sourceWidth: width,
  flip,
});

/** Mirrors every row in place. */
export function flipRows(pixels: Uint8Array, width: number, channels: number): void {
  const stride = width * channels;
  for (let row = 0; row < pixels.length; row += stride) {
    for (let a = row, b = row + stride - channels; a < b; a += channels, b -= channels) {
      for (let c = 0; c < channels; c++) {
        const kept = pixels[a + c] as number;
        pixels[a + c] = pixels[b + c] as number;
        pixels[b + c] = kept;
      }
    }
  }
}
