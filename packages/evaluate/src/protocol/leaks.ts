import type { Dataset } from '@mimlab/data';
import type { RowProgress } from '../loader-rows.js';

/** A test image whose bytes are also those of a training image. */
export interface Leak {
  readonly train: string;
  readonly test: string;
}

/** Samples hashed at once: files are read side by side. */
const TOGETHER = 16;

/** Every test image that is a training image, byte by byte. @param samples training samples that count */
export async function findLeaks(train: Dataset, samples: Int32Array, test: Dataset, progress: RowProgress = () => undefined): Promise<Leak[]> {
  const total = test.size + samples.length;
  const each = async (dataset: Dataset, count: number, sampleOf: (place: number) => number, before: number, use: (hash: string, sample: number) => void): Promise<void> => {
    for (let from = 0; from < count; from += TOGETHER) {
      const ids = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, i) => sampleOf(from + i));
      const hashes = await Promise.all(ids.map((id) => dataset.fingerprint(id)));
      hashes.forEach((hash, i) => {
        use(hash, ids[i] as number);
      });
      progress(before + from + ids.length, total);
    }
  };
  const known = new Map<string, number[]>();
  await each(test, test.size, (place) => place, 0, (hash, sample) => {
    const same = known.get(hash);
    if (same === undefined) known.set(hash, [sample]);
    else same.push(sample);
  });
  const leaks: Leak[] = [];
  await each(train, samples.length, (place) => samples[place] as number, test.size, (hash, sample) => {
    for (const other of known.get(hash) ?? []) leaks.push({ train: train.describe(sample), test: test.describe(other) });
    known.delete(hash);
  });
  return leaks;
}

/** How many pairs a warning names. */
const NAMED = 3;

/** What a person is told. */
export function leakWarning(leaks: readonly Leak[], testSize: number): string {
  const named = leaks.slice(0, NAMED).map(({ train, test }) => `${test} is ${train}`);
  const more = leaks.length > NAMED ? `; and ${leaks.length - NAMED} more` : '';
  return `${leaks.length} of ${testSize} test images are also training images: their answers may be remembered, not recognised (${named.join('; ')}${more})`;
}
