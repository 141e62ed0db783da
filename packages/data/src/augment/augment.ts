import type { Crop, ImageSpec, RandomStream } from '@mimlab/core';
import type { AugmentSpec, SourceImage } from '../contract.js';
import { repeatGrey, withChannels } from './channels.js';
import { centreCrop, randomCrop } from './crop.js';
import { resize } from './resize.js';

/**
 * Brings one image to the run's size and channels, on uint8.
 *
 * @param stream the image's own, `(seed, 'augment', epoch, sampleId)`; `none` draws nothing from it.
 * @param out uint8 [height, width, channels], filled whole.
 * @returns where the result lies in the source image; not whole numbers where the image was resized before it was cut.
 */
export function augmentInto(source: SourceImage, spec: ImageSpec, augment: AugmentSpec, stream: RandomStream, out: Uint8Array): Crop {
  // A grey source is repeated after resizing: the same values at a third of the work.
  const image = source.channels === 1 ? source : withChannels(source, spec.channels);
  const { crop, pixels } = augment.kind === 'none' ? evaluationView(image, spec, augment.cropFraction ?? 1) : trainingView(image, spec, augment, stream);
  if (crop.flip) flipRows(pixels, spec.width, image.channels);
  if (image.channels === spec.channels) out.set(pixels);
  else repeatGrey(pixels, spec.channels, out);
  return crop;
}

interface View {
  readonly crop: Crop;
  readonly pixels: Uint8Array;
}

function trainingView(image: SourceImage, spec: ImageSpec, augment: Exclude<AugmentSpec, { kind: 'none' }>, stream: RandomStream): View {
  const crop = randomCrop(image.height, image.width, augment, stream);
  return { crop, pixels: resize(image, { box: crop, height: spec.height, width: spec.width }) };
}

function evaluationView(image: SourceImage, spec: ImageSpec, fraction: number): View {
  const { height, width, window } = centreCrop(image, spec, fraction);
  const down = image.height / height;
  const right = image.width / width;
  const crop = {
    top: window.top * down,
    left: window.left * right,
    height: window.height * down,
    width: window.width * right,
    sourceHeight: image.height,
    sourceWidth: image.width,
    flip: false,
  };
  return { crop, pixels: resize(image, { height, width, window }) };
}

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
