import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { EngineError } from '@mimlab/core';
import { cacheFolder, type Environment } from './cache-folder.js';
import { gpuSeen } from './gpu.js';
import { TENSORFLOW_VERSION } from './tensorflow-wheels.js';

export type TensorflowSource = 'MIMLAB_TENSORFLOW' | 'cache' | 'tfjs-node';

/** A TensorFlow library on this machine, ready to be loaded. All paths are absolute. */
export interface TensorflowLocation {
  /** Folder of the two libraries. */
  readonly folder: string;
  /** The library with the C API. */
  readonly library: string;
  /** `libtensorflow_framework`, which the other one needs. */
  readonly framework: string;
  /** As far as file names tell, without loading anything. */
  readonly version?: string;
  readonly source: TensorflowSource;
  /** Root of the C headers, where they are there; only the compiled binding needs them. */
  readonly includeFolder?: string;
}

/** The wheels' name first: it exports the C API as well. The second is that of the C library's own archives. */
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow.so.2'];
const FRAMEWORK = 'libtensorflow_framework.so.2';

/** Where a kind of wheel is unpacked. CUDA wheels look for `../nvidia/<part>/lib`, so each kind gets a root of its own. */
export function cachedRoot(kind: 'cpu' | 'cuda', cache: string): string {
  return join(cache, 'tensorflow', `${TENSORFLOW_VERSION}-${kind}`);
}

export interface FindOptions {
  readonly environment?: Environment;
  /** Prefer the CUDA libraries of the cache; default: whether a GPU is seen. */
  readonly cuda?: boolean;
  /** Root of the package @tensorflow/tfjs-node-gpu; default: the installed one. */
  readonly tfjsNodeFolder?: string;
}

/**
 * Finds libtensorflow: the folder that MIMLAB_TENSORFLOW names, else the cache of `npm run setup`, else what
 * tfjs-node-gpu downloaded itself. Only looks at file names: cheap, loads nothing.
 * @throws EngineError if MIMLAB_TENSORFLOW names a folder without the library: a wish is not passed over silently.
 */
export function findTensorflow(options: FindOptions = {}): TensorflowLocation | undefined {
  const environment = options.environment ?? process.env;
  const explicit = environment['MIMLAB_TENSORFLOW'];
  if (explicit) return explicitTensorflow(resolve(explicit));
  return inCache(cacheFolder(environment), options.cuda) ?? downloadedByTfjs(options.tfjsNodeFolder ?? tfjsNodeFolder());
}

function explicitTensorflow(folder: string): TensorflowLocation {
  // The C library's archive has lib/ and include/, an unpacked wheel has tensorflow/: either root is accepted too.
  for (const candidate of [folder, join(folder, 'tensorflow'), join(folder, 'lib')]) {
    const found = locate(candidate, 'MIMLAB_TENSORFLOW');
    if (found) return found;
  }
  throw new EngineError(`${existsSync(folder) ? 'holds' : 'does not exist, so there is'} no ${LIBRARIES[0]} and ${FRAMEWORK}`, {
    place: `MIMLAB_TENSORFLOW=${folder}`,
    remedy: `Name the folder of ${LIBRARIES[0]}, or unset the variable and run 'npm run setup'.`,
  });
}

function inCache(cache: string, cuda: boolean | undefined): TensorflowLocation | undefined {
  const of = (kind: 'cpu' | 'cuda'): TensorflowLocation | undefined => {
    const found = locate(join(cachedRoot(kind, cache), 'tensorflow'), 'cache');
    return found && { ...found, version: TENSORFLOW_VERSION };
  };
  const [cpu, gpu] = [of('cpu'), of('cuda')];
  if (!cpu || !gpu) return cpu ?? gpu;
  return (cuda ?? gpuSeen()) ? gpu : cpu;
}

function downloadedByTfjs(packageFolder: string | undefined): TensorflowLocation | undefined {
  return packageFolder === undefined ? undefined : locate(join(packageFolder, 'deps', 'lib'), 'tfjs-node');
}

/** Root of the installed package @tensorflow/tfjs-node-gpu. */
export function tfjsNodeFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json'));
  } catch {
    return undefined;
  }
}

function locate(folder: string, source: TensorflowSource): TensorflowLocation | undefined {
  const framework = join(folder, FRAMEWORK);
  const library = LIBRARIES.map((name) => join(folder, name)).find(isFile);
  if (library === undefined || !isFile(framework)) return undefined;
  const includeFolder = [join(folder, 'include'), join(dirname(folder), 'include')].find((candidate) =>
    existsSync(join(candidate, 'tensorflow', 'c', 'c_api.h')),
  );
  const version = versionByNames(folder);
  return { folder, library, framework, source, ...(version && { version }), ...(includeFolder && { includeFolder }) };
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** The C library's archives name files `libtensorflow.so.2.9.1`; pip lays `tensorflow_cpu-2.21.0.dist-info` beside a wheel. */
function versionByNames(folder: string): string | undefined {
  const besides = readdirSync(dirname(folder)).map((name) => /^tensorflow(?:_cpu)?-(\d+\.\d+\.\d+)\.dist-info$/.exec(name)?.[1]);
  const within = readdirSync(folder).map((name) => /^libtensorflow(?:_cc)?\.so\.(\d+\.\d+\.\d+)$/.exec(name)?.[1]);
  return [...within, ...besides].find((version) => version !== undefined);
}
