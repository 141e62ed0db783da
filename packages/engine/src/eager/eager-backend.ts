import '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import { EngineError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOptions } from '../contract.js';
import { bindingFile, bindingState } from '../install/binding.js';
import { quietly } from '../install/quiet-load.js';
import { oneLine } from '../install/setup-error.js';
import { findTensorflow, tfjsNodeFolder, type TensorflowLocation } from '../install/tensorflow-location.js';

export type BackendName = 'tensorflow' | 'wasm' | 'cpu';

/** A tfjs backend that is initialised and can be switched to without waiting. */
export interface EagerBackend {
  readonly name: BackendName;
  /** Library, version, threads; and, where it is only a substitute, why. */
  readonly description: string;
}

/**
 * Loads a backend without leaving it selected: tfjs has one current backend for the whole process, and others may be
 * using it.
 * @throws EngineError if the wanted backend cannot be loaded. `auto` takes wasm where TensorFlow is not there.
 */
export async function loadBackend(wanted: EngineOptions['eagerBackend'] = 'auto', threads?: number): Promise<EagerBackend> {
  const before = currentBackend();
  try {
    if (wanted === 'cpu') return await loadCpu();
    if (wanted === 'wasm') return await loadWasm();
    const tensorflow = await loadTensorflow(locateTensorflow(), threads);
    if (!(tensorflow instanceof EngineError)) return tensorflow;
    if (wanted === 'tensorflow') throw tensorflow;
    const wasm = await loadWasm();
    return { ...wasm, description: `${wasm.description}; TensorFlow is not used: ${oneLine(tensorflow)}` };
  } finally {
    if (before !== undefined) void tf.setBackend(before);
  }
}

/** Runs `work` on a loaded backend and selects the one of before again. `work` must be synchronous. */
export function onBackend<T>(name: BackendName, work: () => T): T {
  const before = currentBackend();
  if (before === name) return work();
  // Synchronous for a backend that is initialised, though it returns a promise.
  void tf.setBackend(name);
  try {
    return work();
  } finally {
    if (before !== undefined) void tf.setBackend(before);
  }
}

/** Unlike tf.getBackend(), does not initialise one where none was chosen. */
const currentBackend = (): string | undefined => (tf.engine().backendName as string | null | undefined) ?? undefined;

async function initialize(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) throw new EngineError('the backend cannot be initialised', { place: `tfjs backend ${name}` });
}

async function loadCpu(): Promise<EagerBackend> {
  await initialize('cpu');
  // tfjs would print a banner at first use; the description says the same.
  Object.assign(tf.backend(), { firstUse: false });
  return { name: 'cpu', description: `tfjs ${tf.version_core} on plain JavaScript, 1 thread` };
}

async function loadWasm(): Promise<EagerBackend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  await initialize('wasm');
  return { name: 'wasm', description: `tfjs ${wasm.version_wasm} on wasm, 1 thread` };
}

/** The library, if everything that eager TensorFlow needs is there; else what is missing. */
function locateTensorflow(): TensorflowLocation | EngineError {
  const missing = (problem: string): EngineError => new EngineError(problem, { place: 'engine', remedy: `Run 'npm run setup'.` });
  const location = findTensorflow();
  if (location === undefined) return missing('no libtensorflow was found');
  const state = bindingState(location);
  if (state === 'absent') return missing('the binding of tfjs-node is not compiled');
  if (state === 'other-library') return missing(`the binding of tfjs-node belongs to another library than ${location.folder}`);
  return location;
}

/** Threads that the library was loaded with; it reads them once. */
let loadedThreads: number | undefined;

async function loadTensorflow(location: TensorflowLocation | EngineError, threads: number | undefined): Promise<EagerBackend | EngineError> {
  if (location instanceof EngineError) return location;
  if (loadedThreads === undefined) prepareProcess(threads);
  loadedThreads ??= Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism());
  if (threads !== undefined && threads !== loadedThreads) {
    throw new EngineError(`this process runs eager TensorFlow with ${loadedThreads} threads already, ${threads} were asked for`, {
      place: 'engine.threads',
      remedy: 'Use one number of threads for all eager engines of a process.',
    });
  }
  try {
    // Mapped once: the binding finds it loaded.
    quietly(() => (createRequire(import.meta.url)('koffi') as { load(path: string): unknown }).load(location.library));
    await import('@tensorflow/tfjs-node-gpu');
    await initialize('tensorflow');
  } catch (error) {
    return new EngineError(`the binding of tfjs-node cannot be loaded: ${oneLine(error)}`, {
      place: bindingFile(tfjsNodeFolder() ?? '@tensorflow/tfjs-node-gpu'),
      remedy: `Remove the file and run 'npm run setup'; or use engine.kind graph, which needs only the library.`,
      cause: error,
    });
  }
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
  return { name: 'tensorflow', description: `TensorFlow ${binding.TF_Version} through tfjs-node, ${loadedThreads} threads` };
}

/** What the library and tfjs-node read when they load. */
function prepareProcess(threads: number | undefined): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  // tfjs-node 4.22 calls two functions that Node 23 took away.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
}
