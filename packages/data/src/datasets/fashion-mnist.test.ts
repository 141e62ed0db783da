import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { idxBytes, temporaryFolder, writeFile, writeMnist } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';

const root = temporaryFolder();
const open = (path: string): ReturnType<typeof openDataset> => openDataset({ dataset: 'fashion-mnist', path, split: 'train' });

describe('Fashion-MNIST', () => {
  it('names its classes and has its own statistics', async () => {
    const folder = join(root, 'whole');
    writeMnist(folder, 3);
    const data = await open(folder);
    expect([data.name, data.size, data.channels]).toEqual(['fashion-mnist', 3, 1]);
    expect([0, 1, 2].map((i) => data.classes[data.label(i)])).toEqual(['T-shirt/top', 'Trouser', 'Pullover']);
    expect(data.statistics.mean).toEqual([0.286]);
  });

  it('is refused where a label is no class', async () => {
    const folder = join(root, 'label');
    writeMnist(folder, 2);
    writeFile(join(folder, 'train-labels-idx1-ubyte'), idxBytes([2], [0, 12]));
    await expect(open(folder)).rejects.toThrow(/label 1 of the train set is 12, expected 0 .. 9/);
  });

  it('is refused where a file is missing', async () => {
    await expect(open(join(root, 'nowhere'))).rejects.toThrow(/nowhere: none of 'train-images-idx3-ubyte'/);
  });
});
