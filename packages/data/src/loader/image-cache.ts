import { constants } from 'node:buffer';
import type { Dataset, SourceImage } from '../contract.js';

/** Room for the decoded images of a data set, on memory shared by all threads. Plain data, so that workers can have it. */
export interface ImageCache {
  readonly pixels: Uint8Array<SharedArrayBuffer>;
  /** Three numbers for each sample: where its pixels start, or one of the marks below; height; width. Then the end of what is taken. */
  readonly index: Int32Array<SharedArrayBuffer>;
}

const FIELDS = 3;
const MISSING = 0;
const BEING_WRITTEN = -1;
/** Starts are counted in units of this many bytes from 1 on, so that 31 bits reach far enough. */
const UNIT = 8;

/** Most bytes that the counting reaches and one array can have: 4 GiB with Node 20, 16 GiB where arrays may be longer. */
const LONGEST = Math.min(constants.MAX_LENGTH, (2 ** 31 - 1) * UNIT);

const unitsOf = ({ height, width, channels }: Pick<SourceImage, 'height' | 'width' | 'channels'>): number => Math.ceil((height * width * channels) / UNIT);

/**
 * A cache for a data set that fits, judged by the size of one of its images; undefined for one that does not: part of a
 * data set in memory saves little, and copying into it costs.
 * @param bytes most memory to take
 */
export async function openImageCache(dataset: Dataset, bytes: number, sample = 0): Promise<ImageCache | undefined> {
  // An image that cannot be read is reported when its turn comes.
  const first = bytes === 0 ? undefined : await dataset.image(sample).catch(() => undefined);
  if (first === undefined) return undefined;
  const needed = unitsOf(first) * UNIT * dataset.size;
  const most = Math.min(bytes, LONGEST);
  if (needed > most) return undefined;
  // Images may differ in size: up to twice as much as the first one promises, within the bound.
  const room = Math.min(Math.floor(most / UNIT) * UNIT, 2 * needed);
  return {
    pixels: new Uint8Array(new SharedArrayBuffer(room)),
    index: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (FIELDS * dataset.size + 1))),
  };
}

/** The data set with every image decoded once, by whichever thread comes first, as long as there is room. */
export function cachedDataset(dataset: Dataset, { pixels, index }: ImageCache): Dataset {
  const { channels } = dataset;
  const end = FIELDS * dataset.size;

  const keep = (sample: number, image: SourceImage): void => {
    const units = unitsOf(image);
    const at = FIELDS * sample;
    if ((Atomics.load(index, end) + units) * UNIT > pixels.length) return;
    if (Atomics.compareExchange(index, at, MISSING, BEING_WRITTEN) !== MISSING) return;
    const start = Atomics.add(index, end, units);
    // Another thread may have taken the room in between; then the sample stays marked, and is decoded every time.
    if ((start + units) * UNIT > pixels.length) return;
    pixels.set(image.pixels, start * UNIT);
    index[at + 1] = image.height;
    index[at + 2] = image.width;
    Atomics.store(index, at, start + 1);
  };

  return {
    ...dataset,
    image: async (sample) => {
      // Samples that do not exist are refused where images come from.
      if (!(sample >= 0 && sample < dataset.size)) return dataset.image(sample);
      const at = FIELDS * sample;
      const start = Atomics.load(index, at);
      if (start <= MISSING) {
        const image = await dataset.image(sample);
        keep(sample, image);
        return image;
      }
      const [height, width] = [index[at + 1] as number, index[at + 2] as number];
      const from = (start - 1) * UNIT;
      return { height, width, channels, pixels: pixels.subarray(from, from + height * width * channels) };
    },
  };
}
