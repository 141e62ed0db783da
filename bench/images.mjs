// Generated images on disk for the loader, in the forms of CIFAR-10 and of an image folder.
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '@mimlab/core';
import sharp from 'sharp';

/** Size of most photographs of ImageNet. */
const PHOTO = { width: 500, height: 375 };
const PHOTOS = 64;
/** Names for each photograph: an epoch must be longer than a measurement, for the loader starts anew between epochs. */
const NAMES = 64;

/** Smooth colours under noise, which JPEG at quality 90 makes about as large as ImageNet's files (110 kB). */
async function photo(number) {
  const { width, height } = PHOTO;
  const random = randomStream('bench', 'photo', number);
  const phase = [random.uniform(), random.uniform(), random.uniform()].map((value) => 6 * value);
  const pixels = new Uint8Array(width * height * 3);
  for (let p = 0; p < width * height; p++) {
    const wave = Math.sin((p % width) / 40 + phase[0]) + Math.cos(Math.floor(p / width) / 30 + phase[1]);
    for (let c = 0; c < 3; c++) pixels[3 * p + c] = 112 + 40 * Math.sin(wave + phase[2] + c) + random.int(64);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 90 }).toBuffer();
}

async function writePhotos(folder) {
  const classFolder = join(folder, 'train', 'class');
  mkdirSync(classFolder, { recursive: true });
  for (let number = 0; number < PHOTOS; number++) {
    const first = join(classFolder, `${number}-0.jpg`);
    writeFileSync(first, await photo(number));
    for (let name = 1; name < NAMES; name++) linkSync(first, join(classFolder, `${number}-${name}.jpg`));
  }
}

/** Five files of the same 4096 records: a label, then the planes of 32 x 32 pixels. */
function writeCifar(folder) {
  mkdirSync(folder, { recursive: true });
  const record = 1 + 3 * 32 * 32;
  const random = randomStream('bench', 'cifar');
  const bytes = Uint8Array.from({ length: 4096 * record }, (_, place) => (place % record === 0 ? 0 : random.int(256)));
  for (let part = 1; part <= 5; part++) writeFileSync(join(folder, `data_batch_${part}.bin`), bytes);
}

/** Writes both data sets below `root`. @returns their folders by name of the data set */
export async function generateImages(root) {
  const folders = { cifar10: join(root, 'cifar10'), imagefolder: join(root, 'photos') };
  writeCifar(folders.cifar10);
  await writePhotos(folders.imagefolder);
  return folders;
}
