import type { Crop, ImageSpec, RandomStream } from '@mimlab/core';
import type { AugmentSpec, FineTuningAugment, SourceImage } from '../contract.js';
import { IMAGENET_STATISTICS, statisticsFor } from '../datasets/statistics.js';
import { repeatGrey, withChannels } from './channels.js';
import { colorJitter } from './color-jitter.js';
import { centreCrop, coveringSize, randomCrop, type Size } from './crop.js';
import { eraseBox } from './erase.js';
import { parseRandAugment, randAugment } from './rand-augment.js';
import { reflectedWindow } from './reflected-window.js';
import { resize, type Box, type ResizeFilter } from './resize.js';

/**
 * Brings one image to the run's size and channels, on uint8.
 *
 * @param stream the image's own, `(seed, 'augment', epoch, sampleId)`; first the crop draws from it, then changes of colour, then erasing.
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
  if (augment.kind === 'random-resized-crop' || augment.kind === 'simple-crop') fineTuningChanges({ ...spec, pixels: out }, augment, stream);
  return crop;
}

/** Changes after the crop, in place. */
function fineTuningChanges(image: SourceImage, { randAugment: policy, colorJitter: strength, erase, statistics }: FineTuningAugment, stream: RandomStream): void {
  if (policy === undefined && strength === undefined && erase === undefined) return;
  const own = statisticsFor(statistics ?? IMAGENET_STATISTICS, image.channels);
  let changed = image;
  if (strength !== undefined) changed = colorJitter(changed, strength, stream);
  if (policy !== undefined) {
    const fill = own.mean.map((mean) => Math.min(255, Math.round(255 * mean)));
    changed = randAugment(changed, parseRandAugment(policy), fill, stream);
  }
  if (changed !== image) image.pixels.set(changed.pixels);
  if (erase !== undefined) eraseBox(image, erase, own, stream);
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
