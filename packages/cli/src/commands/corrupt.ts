import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ConfigError, DataError, didYouMean, randomStream } from '@mimlab/core';
import { augmentInto, corrupt, CORRUPTIONS, decodeImage, imagesUnder, type CorruptionName, type CorruptionSet, type Severity, type SourceImage } from '@mimlab/data';
import { writeFileAtomically } from '@mimlab/train';
import sharp from 'sharp';
import { createProgress } from '../progress.js';
import type { Terminal } from '../terminal.js';

export interface CorruptCommandOptions {
  /** Names with commas between. */
  readonly names?: string;
  /** Severities with commas between. */
  readonly severities?: string;
  readonly seed: number;
  /** Brings images to squares of this size first. */
  readonly size?: number;
  readonly parameters: CorruptionSet;
}

/** ImageNet-C resizes to 256 for 224. */
const CROP_FRACTION = 0.875;

/**
 * Writes corrupted copies of every image in a folder: `OUT/NAME/SEVERITY/` has the tree of the folder, as ImageNet-C has.
 * Files are PNG, so that nothing is lost besides; their names are those of the originals with `.png` added. An image's
 * random draws depend on the seed, the corruption, the severity and its path below the folder.
 */
export async function corruptCommand(folder: string, output: string, options: CorruptCommandOptions, terminal: Terminal): Promise<void> {
  const names = chosenNames(options.names);
  const severities = chosenSeverities(options.severities);
  // Its results would be among the images of the next call.
  if (`${resolve(output)}${sep}`.startsWith(`${resolve(folder)}${sep}`)) {
    throw new ConfigError('lies in the folder of the images', { place: output, remedy: 'Choose a folder outside of it for the corrupted images.' });
  }
  const images = (await imagesUnder(folder)).sort();
  if (images.length === 0) throw new DataError('holds no image', { place: folder, remedy: 'Name a folder with images (jpg, png, webp, gif, tiff, avif) in it or below.' });
  const progress = createProgress(terminal, { label: 'corrupting', unit: 'images' });
  const total = images.length * names.length * severities.length;
  let done = 0;
  try {
    for (const path of images) {
      const image = await readImage(path, options.size);
      const place = relative(folder, path);
      for (const name of names) {
        for (const severity of severities) {
          // Labels of a stream must not depend on how a system writes paths.
          const stream = randomStream(options.seed, 'corrupt', name, severity, place.split(sep).join('/'));
          const { pixels } = await corrupt(image, name, severity, stream, { parameters: options.parameters });
          await writeImage({ ...image, pixels }, join(output, name, String(severity), `${place}.png`));
          progress.update({ done: ++done, total, text: name });
        }
      }
    }
  } finally {
    progress.end();
  }
  terminal.note(`${images.length} images, ${names.length} corruptions, severities ${severities.join(', ')}`);
  if (names.includes('frost')) terminal.note(`note: the texture of frost is made, not that of ImageNet-C's photographs`);
  terminal.out(output);
}

/** What stands between commas, each once. */
const listed = (text: string): string[] => [...new Set(text.split(',').map((given) => given.trim()))];

function chosenNames(text: string | undefined): readonly CorruptionName[] {
  if (text === undefined) return CORRUPTIONS;
  return listed(text).map((given) => {
    const name = CORRUPTIONS.find((known) => known === given);
    if (name !== undefined) return name;
    throw new ConfigError(`there is no corruption '${given}'${didYouMean(given, CORRUPTIONS)}`, { place: '--names', remedy: `Choose from ${CORRUPTIONS.join(', ')}, with commas between.` });
  });
}

function chosenSeverities(text = '1,2,3,4,5'): readonly Severity[] {
  return listed(text).map((given) => {
    const severity = ([1, 2, 3, 4, 5] as const).find((known) => String(known) === given);
    if (severity !== undefined) return severity;
    throw new ConfigError(`there is no severity '${given}'`, { place: '--severities', remedy: 'Give some of 1, 2, 3, 4, 5, with commas between.' });
  });
}

async function readImage(path: string, size: number | undefined): Promise<SourceImage> {
  const image = await decodeImage(path, 3);
  if (size === undefined) return image;
  const spec = { height: size, width: size, channels: 3 };
  const pixels = new Uint8Array(size * size * 3);
  augmentInto(image, spec, { kind: 'none', cropFraction: CROP_FRACTION }, randomStream(), pixels);
  return { ...spec, pixels };
}

async function writeImage({ height, width, pixels }: SourceImage, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, await sharp(pixels, { raw: { height, width, channels: 3 } }).png().toBuffer());
}
