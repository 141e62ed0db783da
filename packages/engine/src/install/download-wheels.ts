import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '@mimlab/core';
import type { Environment } from './cache-folder.js';
import { runTool } from './run-tool.js';
import type { PinnedWheel, WheelSet } from './tensorflow-wheels.js';

/** Connections that break half-way are tried again this often; pip itself retries only the opening of one. */
const ATTEMPTS = 3;

/**
 * Downloads the wheels of a set with pip, one at a time, into `folder`, and checks each against its sha256. Wheels that
 * are there already with the right content are kept, so an interrupted set-up goes on where it stopped.
 * @returns paths of the files, in the order of the set.
 * @throws EngineError with one clear line if the network, the disk or the content fails.
 */
export async function downloadWheels(set: WheelSet, folder: string, environment: Environment, log: (line: string) => void): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const wheel of set.wheels) {
    const present = await findDownloaded(wheel, folder);
    files.push(present ?? (await download(wheel, set.platforms, folder, environment, log)));
  }
  return files;
}

const normalized = (distribution: string): string => distribution.replace(/[-_.]+/g, '_').toLowerCase();

async function findDownloaded(wheel: PinnedWheel, folder: string): Promise<string | undefined> {
  const prefix = `${normalized(wheel.distribution)}-${wheel.version}-`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.whl')) continue;
    const file = join(folder, name);
    if ((await sha256Of(file)) === wheel.sha256) return file;
  }
  return undefined;
}

async function download(
  wheel: PinnedWheel,
  platforms: readonly string[],
  folder: string,
  environment: Environment,
  log: (line: string) => void,
): Promise<string> {
  const place = `${wheel.distribution} ${wheel.version}`;
  // A folder of this process' own: half a file never lies where whole ones are looked for.
  const partial = await mkdtemp(join(folder, '.partial-'));
  try {
    const requirements = join(partial, 'requirements.txt');
    await writeFile(requirements, `${wheel.distribution}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const args = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-cache-dir', '--no-input', '--no-deps'];
    args.push('--only-binary=:all:', '--require-hashes', '--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311');
    for (const platform of platforms) args.push('--platform', platform);
    args.push('--dest', partial, '--requirement', requirements);
    log(`downloading ${place}`);
    for (let attempt = 1; ; attempt++) {
      // pip unpacks into its TMPDIR first, which is often a small memory disk.
      const { status, stderr } = await runTool('python3', args, { ...environment, TMPDIR: partial });
      if (status === 0) break;
      const failure = pipFailure(stderr, place);
      if (!failure.transient || attempt === ATTEMPTS) throw failure.error;
      log(`connection lost, trying again (${attempt} of ${ATTEMPTS - 1})`);
    }
    const name = (await readdir(partial)).find((entry) => entry.endsWith('.whl'));
    if (name === undefined) throw new EngineError('pip reported success but left no wheel', { place });
    if ((await sha256Of(join(partial, name))) !== wheel.sha256) throw foreignContent(place);
    const file = join(folder, name);
    await rename(join(partial, name), file);
    return file;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

const foreignContent = (place: string): EngineError =>
  new EngineError('the downloaded file is not the one this release was tested with (its sha256 differs); it was thrown away', {
    place,
    remedy: 'Check the package index or mirror that pip is configured with, then run set-up again.',
  });

/** What pip's complaint means, in one line. Transient failures are worth another attempt. */
export function pipFailure(stderr: string, place: string): { error: EngineError; transient: boolean } {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.filter((line) => /^ERROR:|Error/.test(line)).at(-1) ?? lines.filter(Boolean).at(-1) ?? 'pip failed without a word';
  if (/No space left on device|Errno 28/.test(stderr)) return { error: diskFull(place), transient: false };
  if (/do not match the hashes|HashMismatch/i.test(stderr)) return { error: foreignContent(place), transient: false };
  const broken = /IncompleteRead|Connection broken|Read timed out|ReadTimeout|ConnectionReset|IncompleteDownload|incomplete-download/i.test(stderr);
  const unreachable = /NewConnectionError|Temporary failure in name resolution|ProxyError|ConnectTimeout|Connection refused|Network is unreachable|SSLError|No matching distribution/i;
  if (broken || unreachable.test(stderr)) {
    const remedy = `Check the connection (pip's proxy and index settings count) and run 'npm run setup' again: what is complete is kept.`;
    return { error: new EngineError(broken ? 'the download broke off' : 'the package index cannot be reached or does not have it', { place, remedy }), transient: broken };
  }
  return { error: new EngineError(`pip download failed: ${last.replace(/^ERROR:\s*/, '')}`, { place, remedy: `Run 'npm run setup' again.` }), transient: false };
}

export const diskFull = (place: string): EngineError =>
  new EngineError('no space left on the disk', { place, remedy: 'Free some space, or point MIMLAB_CACHE to a larger disk, and run set-up again.' });

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
