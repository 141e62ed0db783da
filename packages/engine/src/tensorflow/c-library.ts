import { createRequire } from 'node:module';
import { EngineError } from '@mimlab/core';

/** A pointer of C, as koffi hands it over. `null` is the null pointer. */
export type Pointer = bigint | null;

interface NativeFunction {
  (...args: readonly unknown[]): unknown;
  async(...args: readonly unknown[]): void;
}
interface NativeLibrary {
  func(name: string, result: string, args: readonly string[]): NativeFunction;
}
interface Koffi {
  load(path: string | null, options?: { readonly global?: boolean }): NativeLibrary;
}

// koffi is CommonJS; it is loaded here so that an eager engine never needs it.
const koffi = createRequire(import.meta.url)('koffi') as Koffi;

const P = 'void*';
const RTLD_NOW = 2;

/** Functions of the process' own C library. */
function loadLibc() {
  const libc = koffi.load(null);
  const memcpy = libc.func('memcpy', P, [P, P, 'size_t']);
  const dlopen = libc.func('dlopen', P, ['str', 'int']);
  const open = libc.func('open', 'int', ['str', 'int']);
  const dup = libc.func('dup', 'int', ['int']);
  const dup2 = libc.func('dup2', 'int', ['int', 'int']);
  const close = libc.func('close', 'int', ['int']);
  const setenv = libc.func('setenv', 'int', ['str', 'str', 'int']);
  return {
    /** Copies `bytes` bytes; either side is a pointer or a typed array. */
    copy(to: Pointer | ArrayBufferView, from: Pointer | ArrayBufferView, bytes: number): void {
      if (bytes > 0) memcpy(to, from, bytes);
    },
    /**
     * Keeps a library mapped until the process ends. koffi unloads what it loaded when Node shuts down, and TensorFlow's
     * threads do not survive that: the process would end with a segmentation fault.
     */
    pin(path: string): void {
      const flags = process.platform === 'darwin' ? RTLD_NOW | 0x8 | 0x80 : RTLD_NOW | 0x100 | 0x1000; // global, never unloaded
      dlopen(path, flags);
    },
    /** Runs `body` with what C code writes to standard error thrown away. */
    silently<T>(body: () => T): T {
      const WRITE_ONLY = 1;
      const STDERR = 2;
      const sink = Number(open('/dev/null', WRITE_ONLY));
      const kept = Number(dup(STDERR));
      if (sink >= 0 && kept >= 0) dup2(sink, STDERR);
      try {
        return body();
      } finally {
        if (sink >= 0 && kept >= 0) dup2(kept, STDERR);
        for (const descriptor of [sink, kept]) if (descriptor >= 0) close(descriptor);
      }
    },
    /** Sets a variable of the environment that C code sees, in worker threads too, unless it is set. */
    setDefaultEnv(name: string, value: string): void {
      setenv(name, value, 0);
    },
  };
}

let libcFunctions: ReturnType<typeof loadLibc> | undefined;
export const libc = (): ReturnType<typeof loadLibc> => (libcFunctions ??= loadLibc());

/** The part of TensorFlow's C API (tensorflow/c/c_api.h) that the engine uses. */
function bind(library: NativeLibrary) {
  const f = (name: string, result: string, ...args: readonly string[]): NativeFunction => library.func(name, result, args);
  return {
    version: f('TF_Version', 'str'),
    newStatus: f('TF_NewStatus', P),
    deleteStatus: f('TF_DeleteStatus', 'void', P),
    getCode: f('TF_GetCode', 'int', P),
    message: f('TF_Message', 'str', P),
    newBuffer: f('TF_NewBuffer', P),
    newBufferFromString: f('TF_NewBufferFromString', P, P, 'size_t'),
    deleteBuffer: f('TF_DeleteBuffer', 'void', P),
    allocateTensor: f('TF_AllocateTensor', P, 'int', P, 'int', 'size_t'),
    deleteTensor: f('TF_DeleteTensor', 'void', P),
    tensorData: f('TF_TensorData', P, P),
    tensorByteSize: f('TF_TensorByteSize', 'size_t', P),
    tensorType: f('TF_TensorType', 'int', P),
    numDims: f('TF_NumDims', 'int', P),
    dim: f('TF_Dim', 'int64_t', P, 'int'),
    newGraph: f('TF_NewGraph', P),
    deleteGraph: f('TF_DeleteGraph', 'void', P),
    newImportOptions: f('TF_NewImportGraphDefOptions', P),
    deleteImportOptions: f('TF_DeleteImportGraphDefOptions', 'void', P),
    importGraphDef: f('TF_GraphImportGraphDef', 'void', P, P, P, P),
    operationByName: f('TF_GraphOperationByName', P, P, 'str'),
    newSessionOptions: f('TF_NewSessionOptions', P),
    deleteSessionOptions: f('TF_DeleteSessionOptions', 'void', P),
    setConfig: f('TF_SetConfig', 'void', P, P, 'size_t', P),
    newSession: f('TF_NewSession', P, P, P, P),
    closeSession: f('TF_CloseSession', 'void', P, P),
    deleteSession: f('TF_DeleteSession', 'void', P, P),
    sessionRun: f('TF_SessionRun', 'void', P, P, P, P, 'int', P, P, 'int', P, 'int', P, P),
  };
}

export type TensorflowApi = ReturnType<typeof bind>;

const loaded = new Map<string, TensorflowApi>();
const setThreads = new Map<string, NativeFunction>();

/**
 * Loads the engine's own kernels into TensorFlow, which `loadTensorflow` must have loaded before, and lets them use
 * `threads` threads. They stay for the life of the process.
 * @throws EngineError if the file cannot be loaded.
 */
export function loadKernels(path: string, threads: number): void {
  try {
    const known = setThreads.get(path);
    if (known === undefined) libc().pin(path);
    const set = known ?? koffi.load(path).func('MimlabSetThreads', 'void', ['int']);
    setThreads.set(path, set);
    set(threads);
  } catch (cause) {
    throw new EngineError(`cannot load the fused kernels: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: path,
      remedy: `Delete the file and run the set-up again, or set MIMLAB_FUSED_KERNELS=0 to work without.`,
      cause,
    });
  }
}

/**
 * Loads libtensorflow once for each path; a copy that tfjs-node mapped already is shared.
 * @throws EngineError if the file cannot be loaded or lacks a function.
 */
export function loadTensorflow(libraryPath: string): TensorflowApi {
  const known = loaded.get(libraryPath);
  if (known !== undefined) return known;
  // TensorFlow reads this once, while it loads: its notes about CPU features are noise here.
  libc().setDefaultEnv('TF_CPP_MIN_LOG_LEVEL', '2');
  try {
    // While it loads TensorFlow says that oneDNN is on, at any log level. What goes wrong comes back as an exception.
    const quiet = process.env['TF_CPP_MIN_LOG_LEVEL'] === '0' ? (body: () => NativeLibrary): NativeLibrary => body() : libc().silently;
    const api = bind(
      quiet(() => {
        libc().pin(libraryPath);
        return koffi.load(libraryPath, { global: true });
      }),
    );
    loaded.set(libraryPath, api);
    return api;
  } catch (cause) {
    throw new EngineError(`cannot load TensorFlow: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: libraryPath,
      remedy: 'Run the set-up again, or name the folder that holds libtensorflow_cc.so.2 in MIMLAB_TENSORFLOW.',
      cause,
    });
  }
}
