import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, type Environment } from './cache-folder.js';
import { compileLibrary, requireCompiler } from './compile-library.js';
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

/** CUDA libraries keep tensors on the GPU, where these kernels cannot run. They link to the framework. */
const suits = ({ folder, framework }: TensorflowLocation): boolean =>
  process.platform === 'linux' && !existsSync(join(dirname(folder), 'nvidia')) && existsSync(framework);

/** Where the compiled kernels of a library lie in the cache: one file for each library, source and kind of processor. */
function compiledFile(location: TensorflowLocation, environment: Environment): string {
  // A cache may be reached through links: the library is the same wherever it is seen from.
  const digest = createHash('sha256').update(JSON.stringify([realpathSync(location.framework), process.arch, cpus()[0]?.model, FLAGS]));
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
  const compilation = { what: 'the fused kernels', without: 'the graph engine works without them, slower', environment };
  requireCompiler(compilation);
  log('compiling the fused kernels');
  const sources = [join(SOURCES, 'mimlab_kernels.cc')];
  await compileLibrary({ ...compilation, place: SOURCES, output: file, sources, flags: FLAGS, libraries: [location.framework], location });
  return file;
}
