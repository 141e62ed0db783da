import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { z } from 'zod';
import { packStrings, sharedLabels, type FilesSource } from './dataset-source.js';
import { IMAGENET_STATISTICS, statisticsFor } from './statistics.js';

/** The part of the competition's COCO-style JSON that images and labels are in. */
const Listing = z.object({
  images: z.array(z.object({ id: z.int(), file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: z.int(), category_id: z.int() })),
  categories: z.array(z.object({ id: z.int(), name: z.string().min(1) })).min(1),
});
type Listing = z.infer<typeof Listing>;

const REMEDY = `Set 'data.path' to the folder that holds train2018.json and val2018.json (or those of 2019) and the unpacked images, as train_val2018/.`;

/**
 * iNaturalist 2018 or 2019: `trainYEAR.json` and `valYEAR.json`, which name images below the same folder. Classes are the
 * categories in the order of their numbers; the test images are the validation set, the only one with labels.
 * @throws DataError naming the file that is missing or damaged, and the entry that is wrong.
 */
export async function listInaturalist(split: 'train' | 'test', path: string, channels: 1 | 3): Promise<FilesSource> {
  const file = await listingFile(split, path);
  const { images, annotations, categories } = await readListing(file);
  const ordered = [...categories].sort((a, b) => a.id - b.id);
  const labelOf = new Map(ordered.map(({ id }, label) => [id, label]));
  if (labelOf.size !== ordered.length) throw new DataError('two categories have the same id', { place: file, remedy: REMEDY });
  const categoryOf = new Map(annotations.map(({ image_id, category_id }) => [image_id, category_id]));
  const labels = images.map(({ id, file_name }) => {
    const category = categoryOf.get(id);
    const label = category === undefined ? undefined : labelOf.get(category);
    if (label !== undefined) return label;
    const problem = category === undefined ? 'has no annotation' : `is of category ${category}, which 'categories' does not list`;
    throw new DataError(`image ${id} ('${file_name}') ${problem}`, { place: file, remedy: 'Take a listing with labels, whole, from the distribution.' });
  });
  await checkFirst(path, file, images);
  return {
    kind: 'files',
    name: 'inaturalist',
    classes: namesOf(ordered),
    statistics: statisticsFor(IMAGENET_STATISTICS, channels),
    channels,
    root: path,
    paths: packStrings(images.map(({ file_name }) => file_name)),
    labels: sharedLabels(labels),
  };
}

async function listingFile(split: 'train' | 'test', path: string): Promise<string> {
  const part = split === 'train' ? 'train' : 'val';
  const names = await readdir(path).catch((cause: unknown) => {
    throw new DataError(`cannot be listed: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, remedy: REMEDY, cause });
  });
  const found = names.filter((name) => new RegExp(`^${part}20\\d\\d\\.json$`).test(name)).sort();
  if (found.length > 1) throw new DataError(`holds the listings of several years: ${found.join(', ')}`, { place: path, remedy: 'Keep each year in a folder of its own.' });
  if (found[0] === undefined) throw new DataError(`'${part}2018.json' (or 2019) is missing`, { place: path, remedy: REMEDY });
  return join(path, found[0]);
}

async function readListing(file: string): Promise<Listing> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new DataError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { place: file, remedy: 'Unpack the file again: it is cut short or no JSON.', cause });
  }
  const result = Listing.safeParse(content);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new DataError(`is no listing of iNaturalist: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, { place: file, remedy: REMEDY });
}

/** Images that were not unpacked, or lie elsewhere, are better noticed now than at a random sample. */
async function checkFirst(path: string, file: string, images: Listing['images']): Promise<void> {
  const first = images[0]?.file_name;
  if (first === undefined) throw new DataError('lists no image', { place: file, remedy: REMEDY });
  await access(join(path, first)).catch((cause: unknown) => {
    throw new DataError(`'${first}', the first image of '${file}', is missing or cannot be read`, { place: path, remedy: REMEDY, cause });
  });
}

/** Names, told apart by the number of the category where several have the same. */
function namesOf(categories: Listing['categories']): string[] {
  const counts = new Map<string, number>();
  for (const { name } of categories) counts.set(name, (counts.get(name) ?? 0) + 1);
  return categories.map(({ id, name }) => (counts.get(name) === 1 ? name : `${name} #${id}`));
}
