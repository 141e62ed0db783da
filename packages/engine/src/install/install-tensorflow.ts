import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { EngineError } from '@mimlab/core';
import { cacheFolder, type Environment } from './cache-folder.js';
import { diskFull, downloadWheels } from './download-wheels.js';
import { gpuSeen } from './gpu.js';
import { toolVersions } from './run-tool.js';
import { MissingToolError } from './setup-error.js';
import { cachedRoot, findTensorflow, type TensorflowLocation } from './tensorflow-location.js';
import { thisMachine, wheelsFor, type Machine, type WheelSet } from './tensorflow-wheels.js';
import { unpackWheel } from './unpack-wheel.js';

export interface InstallOptions {
  /** The libraries for CUDA; `auto` (the default): where a GPU is seen. */
  readonly cuda?: boolean | 'auto';
  /** Gets a line of progress at a time. */
  readonly log?: (line: string) => void;
  readonly environment?: Environment;
  readonly machine?: Machine;
  /** Other wheels than the pinned ones of this release. */
  readonly wheels?: WheelSet;
  readonly tfjsNodeFolder?: string;
}

/** Temporary folders of set-ups that were killed are removed after this many milliseconds. */
const ABANDONED = 24 * 3600 * 1000;

/**
 * Makes sure that there is a libtensorflow: an explicit one, the cache's, the one tfjs-node-gpu downloaded, else the
 * pinned wheel of PyPI, hash-checked and unpacked into the cache. Safe against other set-ups running at the same time
 * and against being killed: the folder appears whole or not at all.
 * @throws MissingToolError without python3 or pip.
 * @throws EngineError, in one line, where no wheel fits, or network, disk or content fail.
 */
export async function installTensorflow(options: InstallOptions = {}): Promise<TensorflowLocation> {
  const { log = () => undefined, environment = process.env, cuda = 'auto' } = options;
  const machine = options.machine ?? thisMachine();
  // CUDA wheels exist for x64 alone; a GPU elsewhere is no reason to install nothing.
  const wantCuda = cuda === 'auto' ? machine.arch === 'x64' && gpuSeen() : cuda;
  const find = (): TensorflowLocation | undefined =>
    findTensorflow({ environment, cuda: wantCuda, ...(options.tfjsNodeFolder && { tfjsNodeFolder: options.tfjsNodeFolder }) });

  const cache = cacheFolder(environment);
  const present = find();
  const cudaLacking = wantCuda && present?.source === 'cache' && !present.folder.startsWith(cachedRoot('cuda', cache));
  if (present && !cudaLacking) return present;

  const set = options.wheels ?? wheelsFor(machine, wantCuda);
  requirePip(environment);
  const root = cachedRoot(set.kind, cache);
  await inPlace(root, async () => {
    const downloads = join(cache, 'downloads');
    for (const folder of [dirname(root), downloads]) {
      await mkdir(folder, { recursive: true });
      await removeAbandoned(folder);
    }
    await requireSpace(cache, set);
    const wheels = await downloadWheels(set, downloads, environment, log);
    const building = await mkdtemp(join(dirname(root), '.unpacking-'));
    try {
      for (const wheel of wheels) {
        log(`unpacking ${basename(wheel)}`);
        await unpackWheel(wheel, building);
      }
      // mkdtemp makes folders private; a cache may be shared.
      await chmod(building, 0o755);
      await moveInto(building, root);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
    for (const wheel of wheels) await rm(wheel, { force: true });
  });
  const installed = find();
  if (!installed) throw new EngineError('the wheel was unpacked but holds no libtensorflow', { place: root, remedy: `Remove the folder and run 'npm run setup' again.` });
  return installed;
}

function requirePip(environment: Environment): void {
  const tools = toolVersions(environment);
  if (tools.pip !== undefined) return;
  const lost = 'TensorFlow cannot be downloaded';
  const works = 'steps still run eagerly on the wasm backend, or on a libtensorflow named by MIMLAB_TENSORFLOW';
  throw new MissingToolError(tools.python3 === undefined ? ['python3', 'pip'] : ['pip'], lost, works, 'python3-pip');
}

/** Turns the file system's complaints into sentences. */
async function inPlace(root: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Another set-up that finished first also takes its wheels away; what it installed serves as well.
    if (await isWhole(root)) return;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw diskFull(dirname(root));
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') {
      throw new EngineError(`the cache folder cannot be written (${code})`, { place: dirname(root), remedy: 'Point MIMLAB_CACHE to a folder that you may write.', cause: error });
    }
    throw error;
  }
}

async function requireSpace(cache: string, set: WheelSet): Promise<void> {
  const { bavail, bsize } = await statfs(cache);
  const needed = set.downloadBytes + set.unpackedBytes;
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new EngineError(`TensorFlow needs ${gigabytes(needed)} GB during set-up, ${gigabytes(bavail * bsize)} GB are free`, {
    place: cache,
    remedy: 'Free some space, or point MIMLAB_CACHE to a larger disk.',
  });
}

/**
 * Puts what was unpacked in its place. A folder that is there is never taken away, for another set-up may have finished
 * it this moment and be using it: a whole one stays, a damaged one is completed file by file, the library last.
 */
async function moveInto(building: string, root: string): Promise<void> {
  const moved = await rename(building, root).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      return false;
    },
  );
  if (moved || (await isWhole(root))) return;
  const entries = await readdir(building, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(building, join(entry.parentPath, entry.name)));
  for (const file of [...files.filter((name) => name !== LIBRARY), ...files.filter((name) => name === LIBRARY)]) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await rename(join(building, file), join(root, file));
  }
}

const LIBRARY = join('tensorflow', 'libtensorflow_cc.so.2');
const FRAMEWORK = join('tensorflow', 'libtensorflow_framework.so.2');

const isWhole = (root: string): Promise<boolean> =>
  Promise.all([LIBRARY, FRAMEWORK].map((file) => stat(join(root, file)))).then(
    () => true,
    () => false,
  );

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\.(unpacking|partial)-/.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ABANDONED) await rm(join(folder, name), { recursive: true, force: true });
  }
}
