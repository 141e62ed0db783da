import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DataError } from '@mimlab/core';
import { packStrings, sharedLabels, type FilesSource } from './dataset-source.js';
import { IMAGENET_STATISTICS, statisticsFor } from './statistics.js';

const IMAGE_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
/** ImageNet calls its test images `val`. */
const SPLIT_FOLDERS = { train: ['train'], test: ['test', 'val'] } as const;

/**
 * Images in folders named by class: `PATH/train/CLASS/...` and `PATH/test/CLASS/...` (or `val`), or `PATH/CLASS/...`
 * for a training set alone. Classes and files are numbered in alphabetical order; files may lie in deeper folders.
 * @param testAlone test images may be `PATH/CLASS/...` too: the folder was named as nothing but test images
 * @throws DataError naming the folder that is missing, unreadable or holds no image.
 */
export async function listImageFolder(split: 'train' | 'test', path: string, channels: 1 | 3, testAlone = false): Promise<FilesSource> {
  const root = await splitFolder(split, path, testAlone);
  const classes = (await subfolders(root)).sort();
  if (classes.length === 0) {
    throw new DataError('holds no class folders', { place: root, remedy: 'Put the images of each class into a folder of its own: CLASS/name.jpg.' });
  }
  const paths: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const files = await imagesUnder(join(root, name));
    if (files.length === 0) {
      throw new DataError('holds no image', { place: join(root, name), remedy: 'Remove the empty class folder, or put its images there (jpg, png, webp, gif, tiff, avif).' });
    }
    for (const file of files.map((found) => relative(root, found)).sort()) {
      paths.push(file);
      labels.push(label);
    }
  }
  const statistics = statisticsFor(IMAGENET_STATISTICS, channels);
  return { kind: 'files', name: 'imagefolder', classes, statistics, channels, root, paths: packStrings(paths), labels: sharedLabels(labels) };
}

async function splitFolder(split: 'train' | 'test', path: string, testAlone: boolean): Promise<string> {
  for (const name of SPLIT_FOLDERS[split]) if ((await isFolder(join(path, name))) && (await hasSubfolder(join(path, name)))) return join(path, name);
  const otherSplit = split === 'train' ? SPLIT_FOLDERS.test : SPLIT_FOLDERS.train;
  for (const name of otherSplit) {
    if ((await isFolder(join(path, name))) && (await hasSubfolder(join(path, name)))) {
      throw new DataError(`has '${name}' but no ${SPLIT_FOLDERS[split].map((wanted) => `'${wanted}'`).join(' or ')} folder`, { place: path, remedy: `Put the ${split} images under ${SPLIT_FOLDERS[split][0]}/CLASS/.` });
    }
  }
  // Evaluating on the images trained on must be asked for, never happen because a folder is missing.
  if (split === 'test' && !testAlone) {
    throw new DataError(`has no folder 'test' or 'val'`, { place: path, remedy: 'Lay the data set out as train/CLASS/name.jpg and test/CLASS/name.jpg.' });
  }
  return path;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const hasSubfolder = async (path: string): Promise<boolean> => (await subfolders(path)).length > 0;

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError(missing ? 'no such folder' : `cannot be listed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: path,
      remedy: `Set 'data.path' to a folder that is there and may be read, or name one on the command line.`,
      cause,
    });
  }
}

/** Links to folders count as folders: large data sets are often linked together. */
const leadsToFolder = async (folder: string, entry: Dirent): Promise<boolean> =>
  entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name))));

async function subfolders(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(path)) if (!entry.name.startsWith('.') && (await leadsToFolder(path, entry))) found.push(entry.name);
  return found;
}

/**
 * Paths of the image files in a folder and below.
 * @throws DataError naming a folder that cannot be listed, or a link that leads in a circle.
 */
export const imagesUnder = (folder: string): Promise<string[]> => imagesBelow(folder, []);

/** `above`: the folders on the way, as they are called without links. */
async function imagesBelow(folder: string, above: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const entries = await entriesOf(folder);
  const real = await realpath(folder);
  if (above.includes(real)) {
    throw new DataError(`leads back to '${real}', which it lies in`, { place: folder, remedy: 'Remove this link: every image would be listed again and again.' });
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (await leadsToFolder(folder, entry)) {
      // One by one: arguments of a call are limited, images of a folder are not.
      for (const image of await imagesBelow(path, [...above, real])) found.push(image);
    } else if (IMAGE_NAME.test(entry.name) && (entry.isFile() || entry.isSymbolicLink())) found.push(path);
  }
  return found;
}
