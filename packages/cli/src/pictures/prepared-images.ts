import { randomStream, type ImageSpec } from '@mimlab/core';
import { augmentInto, datasetRef, decodeImage, imageSpec, openDataset, type SourceImage } from '@mimlab/data';
import type { RunContext } from '../run/run-context.js';

/**
 * Images brought to the run's size as evaluation does: resized, centre cut out.
 * @param paths image files; where there are none, the first `count` test images are taken
 * @returns uint8, [height, width, channels] each
 */
export async function preparedImages({ config }: Pick<RunContext, 'config'>, paths: readonly string[], count: number): Promise<Uint8Array[]> {
  const spec = imageSpec(config.data);
  const sources: SourceImage[] = [];
  if (paths.length > 0) {
    for (const path of paths) sources.push(await decodeImage(path, spec.channels));
  } else {
    const dataset = await openDataset(datasetRef(config.data, 'test'));
    for (let index = 0; index < Math.min(count, dataset.size); index++) sources.push(await dataset.image(index));
  }
  return sources.map((source) => prepared(source, spec));
}

/** Test images from all over the set, `count` at most, prepared alike: neighbours in a folder of images are of one class. */
export async function spreadTestImages({ config }: Pick<RunContext, 'config'>, count: number): Promise<Uint8Array[]> {
  const spec = imageSpec(config.data);
  const dataset = await openDataset(datasetRef(config.data, 'test'));
  const taken = Math.min(count, dataset.size);
  const images: Uint8Array[] = [];
  for (let index = 0; index < taken; index++) images.push(prepared(await dataset.image(Math.floor((index * dataset.size) / taken)), spec));
  return images;
}

function prepared(source: SourceImage, spec: ImageSpec): Uint8Array {
  const pixels = new Uint8Array(spec.height * spec.width * spec.channels);
  augmentInto(source, spec, { kind: 'none' }, randomStream('reconstruct'), pixels);
  return pixels;
}
