import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '@mimlab/core';
import { cacheFolder, type Environment } from './cache-folder.js';
import { compileLibrary, requireCompiler } from './compile-library.js';
import { tfjsNodeFolder, type TensorflowLocation } from './tensorflow-location.js';

/** The Node-API version that tfjs-node-gpu's loader asks for; every Node since 12.22 offers it. */
const NODE_API = 8;

/** Where tfjs-node-gpu loads its binding from. */
export const bindingFile = (packageFolder: string): string => join(packageFolder, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node');

/**
 * Whether tfjs-node-gpu has a binding, and for which library: one that points elsewhere would bring a second TensorFlow
 * into the process. Only reads the file.
 */
export function bindingState(location: TensorflowLocation, packageFolder = tfjsNodeFolder()): 'fits' | 'other-library' | 'absent' {
  if (packageFolder === undefined || !existsSync(bindingFile(packageFolder))) return 'absent';
  // The prebuilt binding finds the library that was downloaded with it by a path relative to itself.
  const needle = location.source === 'tfjs-node' ? '$ORIGIN/../../deps/lib' : location.folder;
  const binding = readFileSync(bindingFile(packageFolder));
  return binding.includes(needle) || binding.includes(location.folder) ? 'fits' : 'other-library';
}

export interface BuildOptions {
  readonly log?: (line: string) => void;
  readonly environment?: Environment;
  /** Root of the package @tensorflow/tfjs-node-gpu; default: the installed one. */
  readonly packageFolder?: string;
}

/**
 * Makes sure that tfjs-node-gpu has a binding compiled against the library at `location`: keeps the one in place, else
 * takes it from the cache, else compiles it (about ten seconds).
 * @returns path of the binding.
 * @throws MissingToolError without g++.
 * @throws EngineError if headers are missing or the compiler fails.
 */
export async function buildBinding(location: TensorflowLocation, options: BuildOptions = {}): Promise<string> {
  const { log = () => undefined, environment = process.env, packageFolder = tfjsNodeFolder() } = options;
  if (packageFolder === undefined) {
    throw new EngineError('the package is not installed', { place: '@tensorflow/tfjs-node-gpu', remedy: `Run 'npm ci'.` });
  }
  const target = bindingFile(packageFolder);
  if (bindingState(location, packageFolder) === 'fits') return target;

  const cached = join(cacheFolder(environment), 'bindings', `${bindingKey(location, packageFolder)}.node`);
  if (!existsSync(cached)) await compile(location, packageFolder, cached, environment, log);
  place(cached, target);
  return target;
}

/** A binding serves as long as tfjs-node, the library it is linked to and the kind of machine are the same. */
function bindingKey(location: TensorflowLocation, packageFolder: string): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const { size } = statSync(location.library);
  const digest = createHash('sha256').update(JSON.stringify([location.library, size, process.arch])).digest('hex');
  return `tfjs-node-${version}-napi${NODE_API}-${digest.slice(0, 16)}`;
}

async function compile(
  location: TensorflowLocation,
  packageFolder: string,
  output: string,
  environment: Environment,
  log: (line: string) => void,
): Promise<void> {
  const compilation = {
    what: 'the binding for eager TensorFlow',
    without: 'the graph engine needs only the library, and eager steps run on wasm',
    environment,
  };
  requireCompiler(compilation);
  if (location.includeFolder === undefined) {
    throw new EngineError('no C headers (include/tensorflow/c/c_api.h) beside the library, so eager TensorFlow cannot be compiled', {
      place: location.folder,
      remedy: `Name a folder that has them in MIMLAB_TENSORFLOW, or unset it and run 'npm run setup'. The graph engine works without.`,
    });
  }
  log('compiling the TensorFlow binding of tfjs-node');
  await compileLibrary({
    ...compilation,
    place: packageFolder,
    output,
    sources: ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(packageFolder, 'binding', name)),
    flags: ['-O2', '-shared', '-fPIC', '-std=c++17', `-DNAPI_VERSION=${NODE_API}`, `-I${packageFolder}`, `-I${location.includeFolder}`, `-I${nodeApiHeaders()}`],
    libraries: [location.library, location.framework],
    location,
  });
}

/** Headers of Node-API: the package's, else those that lie beside the running node. */
function nodeApiHeaders(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');
  } catch {
    return join(dirname(dirname(process.execPath)), 'include', 'node');
  }
}

/** Puts a file in place by renaming: a process that has the old one mapped keeps it whole. */
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const beside = mkdtempSync(join(dirname(to), '.placing-'));
  try {
    copyFileSync(from, join(beside, basename(to)));
    renameSync(join(beside, basename(to)), to);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
