import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import { writeFileAtomically } from './disk.js';
import type { FrozenFile } from './frozen-file.js';

/** Lists the files of a checkpoint, so that a half-written or damaged one is told from a whole one. */
export const MANIFEST_FILE = 'manifest.json';
const FORMAT = 1;

export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly format: number;
  readonly files: Readonly<Record<string, FileFacts>>;
  /** The file of frozen parameters that this checkpoint shares with the others of its run; absent if there are none. */
  readonly frozen?: FrozenFile;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Writes the manifest of the files `names` in `folder`, and of the file they share with other checkpoints. Comes last: a folder without one is not a checkpoint. */
export async function writeManifest(folder: string, names: readonly string[], frozen?: FrozenFile): Promise<void> {
  const files: Record<string, FileFacts> = {};
  for (const name of names) {
    const path = join(folder, name);
    files[name] = { bytes: (await stat(path)).size, sha256: await sha256Of(path) };
  }
  const manifest: Manifest = { format: FORMAT, files, ...(frozen === undefined ? {} : { frozen }) };
  await writeFileAtomically(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * What is wrong with the checkpoint in `folder`, or undefined if it is whole: every file that the manifest and the
 * caller expect is there, with its size and hash.
 */
export async function faultOf(folder: string, expected: readonly string[]): Promise<string | undefined> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')) as Manifest;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${MANIFEST_FILE} is missing` : `${MANIFEST_FILE} cannot be read`;
  }
  if (manifest?.format !== FORMAT) return `${MANIFEST_FILE} has format ${String(manifest?.format)}, this version reads ${FORMAT}`;
  if (typeof manifest.files !== 'object' || manifest.files === null) return `${MANIFEST_FILE} lists no files`;
  const unlisted = expected.find((name) => !Object.hasOwn(manifest.files, name));
  if (unlisted !== undefined) return `${MANIFEST_FILE} does not list ${unlisted}`;
  for (const [name, facts] of Object.entries(manifest.files)) {
    const fault = await faultOfFile(folder, name, facts);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * The shared file that a whole checkpoint names; undefined if it holds all its parameters itself.
 * @throws CheckpointError if the manifest does not say it right
 */
export async function frozenFileOf(folder: string): Promise<FrozenFile | undefined> {
  const path = join(folder, MANIFEST_FILE);
  const { frozen } = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  if (frozen === undefined) return undefined;
  // The name is a path: nothing but what this program writes is followed.
  if (frozen?.file === `frozen/${frozen?.sha256}.safetensors` && /^[0-9a-f]{64}$/.test(frozen.sha256)) return frozen;
  throw new CheckpointError(`names frozen parameters in a way that this version does not read`, { place: path, remedy: 'Delete this checkpoint folder to resume from the one before.' });
}

async function faultOfFile(folder: string, name: string, { bytes, sha256 }: FileFacts): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    const { size } = await stat(path);
    if (size !== bytes) return `${name} has ${size} bytes, ${bytes} were written`;
    return (await sha256Of(path)) === sha256 ? undefined : `${name} is damaged: its hash is not the one written`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${name} is missing` : `${name} cannot be read: ${(error as Error).message}`;
  }
}
