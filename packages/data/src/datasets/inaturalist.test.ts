import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainPng, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';

const root = temporaryFolder();

interface Listing {
  images: { id: number; file_name: string }[];
  annotations: { image_id: number; category_id: number }[];
  categories: { id: number; name: string }[];
}

const listing = (): Listing => ({
  images: [
    { id: 7, file_name: 'train_val2018/Aves/5/a.png' },
    { id: 9, file_name: 'train_val2018/Plantae/2/b.png' },
  ],
  annotations: [
    { image_id: 9, category_id: 2 },
    { image_id: 7, category_id: 5 },
  ],
  categories: [
    { id: 5, name: 'Parus major' },
    { id: 2, name: 'Bellis perennis' },
  ],
});

/** A folder with a listing and its first image. */
async function folderWith(name: string, content: unknown, file = 'train2018.json'): Promise<string> {
  const folder = join(root, name);
  writeFile(join(folder, file), JSON.stringify(content));
  writeFile(join(folder, 'train_val2018/Aves/5/a.png'), await plainPng(2, 2, [1, 2, 3]));
  return folder;
}

const open = (path: string, split: 'train' | 'test' = 'train'): ReturnType<typeof openDataset> => openDataset({ dataset: 'inaturalist', path, split, channels: 3 });

describe('iNaturalist', () => {
  it('numbers classes in the order of the categories and reads images below its folder', async () => {
    const data = await open(await folderWith('whole', listing()));
    expect(data.classes).toEqual(['Bellis perennis', 'Parus major']);
    expect([data.label(0), data.label(1)]).toEqual([1, 0]);
    expect([...(await data.image(0)).pixels.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect(data.describe(1)).toMatch(/whole.train_val2018.Plantae.2.b\.png$/);
  });

  it('has the validation images of its year for test', async () => {
    const data = await open(await folderWith('val', listing(), 'val2019.json'), 'test');
    expect(data.size).toBe(2);
  });

  it('tells categories of one name apart', async () => {
    const content = listing();
    for (const category of content.categories) category.name = 'hidden';
    expect((await open(await folderWith('names', content))).classes).toEqual(['hidden #2', 'hidden #5']);
  });

  it('names the image that has no annotation', async () => {
    const content = listing();
    content.annotations.pop();
    await expect(open(await folderWith('unlabelled', content))).rejects.toThrow(/train2018.json: image 7 \('train_val2018.Aves.5.a.png'\) has no annotation/);
  });

  it('names the image of an unknown category', async () => {
    const content = listing();
    content.annotations[0]!.category_id = 77;
    await expect(open(await folderWith('unknown', content))).rejects.toThrow(/image 9 .* is of category 77, which 'categories' does not list/);
  });

  it('is refused where two categories have one number', async () => {
    const content = listing();
    content.categories[0]!.id = 2;
    await expect(open(await folderWith('twice', content))).rejects.toThrow(/two categories have the same id/);
  });

  it('names the entry that is of another form', async () => {
    const content: Record<string, unknown> = { ...listing(), images: [{ id: 'x', file_name: 'a.png' }] };
    await expect(open(await folderWith('form', content))).rejects.toThrow(/train2018.json: is no listing of iNaturalist: images.0.id/);
  });

  it('is refused where the images were not unpacked', async () => {
    const content = listing();
    content.images[0]!.file_name = 'train_val2018/none.png';
    await expect(open(await folderWith('images', content))).rejects.toThrow(/'train_val2018.none.png', the first image of .*, is missing/);
  });

  it('is refused where the listing is missing, cut short, empty or there for two years', async () => {
    await expect(open(await folderWith('missing', listing()), 'test')).rejects.toThrow(/missing: 'val2018.json' \(or 2019\) is missing/);
    const cut = await folderWith('cut', listing());
    writeFile(join(cut, 'train2018.json'), '{"images": [');
    await expect(open(cut)).rejects.toThrow(/train2018.json: cannot be read/);
    await expect(open(await folderWith('empty', { ...listing(), images: [] }))).rejects.toThrow(/lists no image/);
    const both = await folderWith('both', listing());
    writeFile(join(both, 'train2019.json'), '{}');
    await expect(open(both)).rejects.toThrow(/several years: train2018.json, train2019.json/);
    await expect(open(join(root, 'nowhere'))).rejects.toThrow(/nowhere: cannot be listed/);
  });
});
