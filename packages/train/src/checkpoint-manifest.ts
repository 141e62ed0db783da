import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './disk.js';

/** Lists the files of a checkpoint, so that a half-written or damaged one is told from a whole one. */
export const MANIFEST_FILE = 'manifest.json';
const FORMAT = 1;

interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly format: number;
  readonly files: Readonly<Record<string, FileFacts>>;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Writes the manifest of the files `names` in `folder`. Comes last: a folder without one is not a checkpoint. */
export async function writeManifest(folder: string, names: readonly string[]): Promise<void> {
  const files: Record<string, FileFacts> = {};
  for (const name of names) {
    const path = join(folder, name);
    files[name] = { bytes: (await stat(path)).size, sha256: await sha256Of(path) };
  }
  const manifest: Manifest = { format: FORMAT, files };
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
