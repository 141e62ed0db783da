import '@tensorflow/tfjs';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import { EngineError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineOptions } from '../contract.js';
import { bindingFile, bindingState } from '../install/binding.js';
import { oneLine } from '../install/setup-error.js';
import { findTensorflow, tfjsNodeFolder } from '../install/tensorflow-location.js';

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
    const lacking = missingForTensorflow();
    if (lacking === undefined) return await loadTensorflow(threads);
    if (wanted === 'tensorflow') throw lacking;
    const wasm = await loadWasm();
    return { ...wasm, description: `${wasm.description}; TensorFlow is not used: ${oneLine(lacking)}` };
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
  return { name: 'cpu', description: `tfjs ${tf.version_core} on plain JavaScript, 1 thread` };
}

async function loadWasm(): Promise<EagerBackend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  await initialize('wasm');
  return { name: 'wasm', description: `tfjs ${wasm.version_wasm} on wasm, 1 thread` };
}

/** Why eager TensorFlow cannot be used; undefined if all its files are there. */
function missingForTensorflow(): EngineError | undefined {
  const remedy = `Run 'npm run setup'.`;
  const location = findTensorflow();
  if (location === undefined) return new EngineError('no libtensorflow was found', { place: 'engine', remedy });
  const state = bindingState(location);
  if (state === 'absent') return new EngineError('the binding of tfjs-node is not compiled', { place: 'engine', remedy });
  if (state === 'other-library') {
    return new EngineError(`the binding of tfjs-node belongs to another library than ${location.folder}`, { place: 'engine', remedy });
  }
  return undefined;
}

/** Threads that the library was loaded with; it reads them once. */
let loadedThreads: number | undefined;

async function loadTensorflow(threads: number | undefined): Promise<EagerBackend> {
  if (loadedThreads === undefined) prepareProcess(threads);
  loadedThreads ??= Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism());
  if (threads !== undefined && threads !== loadedThreads) {
    throw new EngineError(`this process runs eager TensorFlow with ${loadedThreads} threads already, ${threads} were asked for`, {
      place: 'engine.threads',
      remedy: 'Use one number of threads for all eager engines of a process.',
    });
  }
  const version = await importTensorflow();
  return { name: 'tensorflow', description: `TensorFlow ${version} through tfjs-node, ${loadedThreads} threads` };
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

async function importTensorflow(): Promise<string> {
  try {
    await import('@tensorflow/tfjs-node-gpu');
    await initialize('tensorflow');
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(`the binding of tfjs-node cannot be loaded: ${oneLine(error)}`, {
      place: bindingFile(tfjsNodeFolder() ?? '@tensorflow/tfjs-node-gpu'),
      remedy: `Remove the file and run 'npm run setup'; or use engine.kind graph, which needs only the library.`,
      cause: error,
    });
  }
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } };
  return binding.TF_Version;
}
