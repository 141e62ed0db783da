import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '@mimlab/core';
import { cacheFolder, type Environment } from './cache-folder.js';
import { runTool, toolVersions } from './run-tool.js';
import { MissingToolError } from './setup-error.js';
import type { TensorflowLocation } from './tensorflow-location.js';

/** Sources of the fused kernels: beside `src` in the repository, beside `dist` in the package. */
const SOURCES = fileURLToPath(new URL('../../native/', import.meta.url));

/**
 * The loops are compiled for the processor at hand. Sums may be reordered, so that they vectorise; NaN and infinity
 * keep their meaning, because the engine's guard relies on them.
 */
const FLAGS = [
  '-O3', '-march=native', '-std=c++17', '-shared', '-fPIC', '-pthread',
  '-fno-math-errno', '-fno-trapping-math', '-fassociative-math', '-fno-signed-zeros', '-freciprocal-math',
]; // prettier-ignore

/** CUDA libraries keep tensors on the GPU, where these kernels cannot run. */
const suits = ({ folder }: TensorflowLocation): boolean => process.platform === 'linux' && !existsSync(join(dirname(folder), 'nvidia'));

/** Where the compiled kernels of a library lie in the cache: one file for each library, source and kind of processor. */
function compiledFile(location: TensorflowLocation, environment: Environment): string {
  const digest = createHash('sha256').update(JSON.stringify([location.framework, process.arch, cpus()[0]?.model, FLAGS]));
  for (const name of readdirSync(SOURCES).sort()) digest.update(readFileSync(join(SOURCES, name)));
  return join(cacheFolder(environment), 'kernels', `mimlab-kernels-${digest.digest('hex').slice(0, 16)}.so`);
}

/** The compiled kernels for a library, if set-up made them. Only looks at files. */
export function findKernels(location: TensorflowLocation, environment: Environment = process.env): string | undefined {
  if (!suits(location) || environment['MIMLAB_FUSED_KERNELS'] === '0') return undefined;
  const file = compiledFile(location, environment);
  return existsSync(file) ? file : undefined;
}

/**
 * Compiles the fused kernels of the graph engine (a few seconds) unless the cache has them. The engine works without,
 * slower.
 * @returns their path; undefined where they cannot be used (a CUDA library, another system than Linux).
 * @throws MissingToolError without g++. @throws EngineError if the compiler fails.
 */
export async function buildKernels(
  location: TensorflowLocation,
  { log = () => undefined, environment = process.env }: { readonly log?: (line: string) => void; readonly environment?: Environment } = {},
): Promise<string | undefined> {
  if (!suits(location)) return undefined;
  const file = compiledFile(location, environment);
  if (existsSync(file)) return file;
  if (toolVersions(environment).gxx === undefined) {
    throw new MissingToolError(['g++'], 'the fused kernels of the graph engine cannot be compiled', 'the graph engine works without them, slower', 'g++');
  }
  mkdirSync(dirname(file), { recursive: true });
  const building = mkdtempSync(join(dirname(file), '.building-'));
  try {
    const built = join(building, basename(file));
    const linked = [`-L${location.folder}`, `-l:${basename(location.framework)}`, `-Wl,-rpath,${location.folder}`];
    log('compiling the fused kernels');
    const { status, stderr } = await runTool('g++', [...FLAGS, join(SOURCES, 'mimlab_kernels.cc'), '-o', built, ...linked], { ...environment, TMPDIR: building });
    if (status !== 0) {
      const complaint = stderr.split('\n').find((line) => /error|cannot find|No space/i.test(line)) ?? stderr.split('\n')[0] ?? '';
      throw new EngineError(`g++ cannot compile the fused kernels: ${complaint.trim()}`, { place: SOURCES, remedy: 'The graph engine works without them, slower.' });
    }
    renameSync(built, file);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return file;
}
