import { EngineError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { FUSED } from './kernels/fused.js';
import { KERNELS } from './kernels/index.js';
import { tracedType, type Recorder } from './recorder.js';
import type { TracedValue } from './recording.js';

export const TRACE = 'trace';

/** A tfjs backend that computes nothing: what would run is written into a recorder. Values are their own data ids. */
class TraceBackend extends tf.KernelBackend {
  readonly recorder: Recorder;
  /** Tensors that hold a value. tfjs counts its own tensors right only if backends count theirs. */
  readonly #references = new WeakMap<object, number>();

  constructor(recorder: Recorder) {
    super();
    this.recorder = recorder;
  }

  /** One more tensor holds `value`. */
  adopt(value: TracedValue): tf.TensorInfo {
    this.incRef(value);
    return { dataId: value, shape: [...value.shape], dtype: value.dtype };
  }

  /** The value behind a tensor; a tensor of another backend (a table made earlier, say) becomes a constant. */
  traced({ dataId, shape, dtype }: tf.TensorInfo): TracedValue {
    if (this.#references.has(dataId)) return dataId as TracedValue;
    const values = tf.engine().readSync(dataId) as Float32Array;
    return this.recorder.constant(values, { shape, dtype: tracedType(dtype, 'trace') });
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.adopt(this.recorder.constant(values as Float32Array, { shape, dtype: tracedType(dtype, 'trace') })).dataId;
  }
  override readSync(): never {
    throw dataRead();
  }
  override read(): Promise<never> {
    return Promise.reject(dataRead());
  }
  override move(): never {
    throw new EngineError('a tensor of another backend entered the trace by a way that is not recorded', { place: TRACE });
  }
  override refCount(dataId: object): number {
    return this.#references.get(dataId) ?? 0;
  }
  override incRef(dataId: object): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }
  override disposeData(dataId: object, force = false): boolean {
    const left = this.refCount(dataId) - 1;
    this.#references.set(dataId, left);
    return force || left <= 0;
  }
  override numDataIds(): number {
    return 0;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override dispose(): void {}
}

const dataRead = (): EngineError =>
  new EngineError('data read inside a step', {
    place: TRACE,
    remedy: 'A step is traced once and holds no numbers while it is: no dataSync(), array() or branch on values.',
  });

function runKernel(kernelName: string, named: tf.NamedTensorInfoMap, rawAttrs: tf.NamedAttrMap, backend: TraceBackend): tf.TensorInfo[] {
  const spec = KERNELS[kernelName] ?? FUSED[kernelName];
  if (spec === undefined) {
    throw new EngineError('this operation cannot be compiled', {
      place: kernelName,
      remedy: 'Write it with operations that the graph engine knows (packages/engine/README.md lists them), or run with engine.kind eager.',
    });
  }
  const names = spec.inputs?.map((name) => name.replace('?', '')) ?? Object.keys(named);
  const values = names.flatMap((name) => (named[name] === undefined || named[name] === null ? [] : [backend.traced(named[name])]));
  const { outputs, attrs = {}, alias, constant, as } = spec.infer(values, rawAttrs);
  const first = values[0];
  if (alias === true && first !== undefined) return [backend.adopt(first)];
  if (constant !== undefined && outputs[0] !== undefined) return [backend.adopt(backend.recorder.constant(constant, outputs[0]))];
  return backend.recorder.operation(as?.kernel ?? kernelName, as?.inputs ?? values, attrs, outputs).map((value) => backend.adopt(value));
}

/** Kernels that give a list even if it has one element. */
const LISTS = new Set(['SplitV', 'Unpack']);

/** Registers the known kernels, and for all others that tfjs' cpu backend has one that says what is the matter. */
function registerKernels(): void {
  if (tf.getKernel('Identity', TRACE) !== undefined) return;
  const names = new Set([...Object.keys(KERNELS), ...tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName)]);
  for (const name of names) registerKernel(name);
}

function registerKernel(kernelName: string): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const outputs = runKernel(kernelName, inputs, attrs ?? {}, backend as TraceBackend);
      return LISTS.has(kernelName) ? outputs : outputs.length === 1 ? (outputs[0] as tf.TensorInfo) : outputs;
    },
  });
}

/** What a traced function sees of the backend it runs on. */
export interface TraceScope {
  /** A tensor for a value of the recorder. */
  tensor(value: TracedValue): tf.Tensor;
  /** The value of a tensor that a traced function gave. */
  value(tensor: tf.Tensor): TracedValue;
}

/**
 * Runs `body` with the trace as tfjs' backend and puts the backend of before back. Synchronous, so nothing else of
 * this process can come between.
 * @param fused also offer the kernels of the native library.
 */
export function withTraceBackend<T>(recorder: Recorder, fused: boolean, body: (scope: TraceScope) => T): T {
  registerKernels();
  const engine = tf.engine();
  const before = engine.backendName as string | null | undefined;
  if (before === TRACE) throw new EngineError('a trace was started inside a trace', { place: TRACE });
  const backend = new TraceBackend(recorder);
  const offered = fused ? Object.keys(FUSED) : [];
  offered.forEach(registerKernel);
  tf.registerBackend(TRACE, () => backend, 0);
  void tf.setBackend(TRACE);
  try {
    let result: { readonly value: T } | undefined;
    tf.tidy(() => {
      const scope: TraceScope = {
        tensor: (value) => engine.makeTensorFromTensorInfo(backend.adopt(value), backend),
        value: (tensor) => backend.traced(tensor),
      };
      result = { value: body(scope) };
    });
    return (result as { readonly value: T }).value;
  } finally {
    // Removing the backend also clears the choice of it, so that a process without a backend is left without one.
    tf.removeBackend(TRACE);
    for (const name of offered) tf.unregisterKernel(name, TRACE);
    if (before) void tf.setBackend(before);
  }
}
