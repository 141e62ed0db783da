import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** What the compiled binding includes, directly or not: the C API and the strings it is made of. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/', 'LICENSE'].map(
  (path) => `tensorflow/include/${path}`,
);

/** Of the 13,000 files of a TensorFlow wheel a hundred are needed; of NVIDIA's everything but headers and static libraries. */
export function isNeeded(name: string): boolean {
  if (name.startsWith('tensorflow/')) {
    return /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/.test(name) || HEADERS.some((prefix) => name.startsWith(prefix));
  }
  if (name.startsWith('nvidia/')) return !/\/include\/|\.(py|a|h)$/.test(name);
  return /\.dist-info\/(licenses\/)?(license|notice)[^/]*$/i.test(name);
}

/** Unpacks the needed files of a wheel (a zip file) into `folder`, keeping their paths and execute bits. */
export async function unpackWheel(file: string, folder: string): Promise<void> {
  const wheel = await openPromise(file);
  try {
    for await (const entry of wheel.eachEntry()) {
      if (entry.fileName.endsWith('/') || !isNeeded(entry.fileName)) continue;
      const target = join(folder, entry.fileName);
      await mkdir(dirname(target), { recursive: true });
      const mode = (entry.externalFileAttributes >>> 16) & 0o777;
      await pipeline(await wheel.openReadStreamPromise(entry), createWriteStream(target, { mode: mode || 0o644 }));
    }
  } finally {
    wheel.close();
  }
}
