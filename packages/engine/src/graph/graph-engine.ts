import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '@mimlab/core';
import type { Engine, EngineOptions, Step } from '../contract.js';
import { cacheFolder } from '../install/index.js';
import { loadKernels, loadTensorflow } from '../tensorflow/c-library.js';
import { configProto } from '../tensorflow/config-proto.js';
import { openSession } from '../tensorflow/session.js';
import { createGraphState } from './graph-state.js';
import { createGraphStep } from './graph-step.js';
import { createStepCompiler } from './step-cache-compiler.js';
import { createStepCache } from './step-cache.js';

/** Room for compiled steps on the disk: some fifty of ViT-B/16. */
const CACHE_BYTES = 256 << 20;

/**
 * The compiled engine: steps are traced once, lowered to TensorFlow graphs and run in one session, which holds the
 * state. The event loop stays free while a step runs; runs of one engine follow each other in the order of their calls.
 * @param libraryPath libtensorflow_cc.so.2
 * @param kernelsPath compiled fused kernels; without them the same is computed by TensorFlow's own operations.
 * @throws EngineError if the library cannot be loaded or refuses the options.
 */
export function createGraphEngine(options: EngineOptions, libraryPath: string, kernelsPath?: string): Engine {
  const { recompute = 'none' } = options;
  if (options.xla === true && recompute !== 'none') {
    throw new EngineError('XLA merges what is computed twice, so that nothing would be saved', { place: 'engine.recompute', remedy: 'Leave recompute or xla out.' });
  }
  const api = loadTensorflow(libraryPath);
  const threads = options.threads ?? availableParallelism();
  const xla = options.xla === true;
  // XLA fuses for itself what it knows, and it does not know our kernels.
  const fused = kernelsPath !== undefined && !xla;
  if (fused) loadKernels(kernelsPath, threads);
  const session = openSession(api, configProto({ threads, xla }));
  const state = createGraphState(api, session);
  let prefixes = 0;
  const cache = options.cache === false ? undefined : createStepCache(join(cacheFolder(), 'steps'), CACHE_BYTES);
  const compile = createStepCompiler(cache, state, { precision: options.precision, recompute, xla, fused, threads, library: String(api.version()) }, () => `step${prefixes++}`);
  let disposed = false;
  let last: Promise<unknown> = Promise.resolve();

  const alive = (): void => {
    if (disposed) throw new EngineError('the engine was disposed', { place: 'engine' });
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    alive();
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    kind: 'graph',
    description: `graph: TensorFlow ${String(api.version())}, ${threads} thread${threads === 1 ? '' : 's'}, ${options.precision}${recompute === 'none' ? '' : `, recomputing ${recompute}`}${xla ? ', XLA' : ''}${fused ? ', fused kernels' : ''}`,
    precision: options.precision,
    async define(specs) {
      alive();
      const initialize = state.define(specs);
      await inTurn(initialize);
    },
    compile(definition): Step {
      alive();
      return createGraphStep(definition, { api, session, state, precision: options.precision, recompute, xla, fused, inTurn, compile });
    },
    stateNames: () => state.names(),
    async read(names) {
      return inTurn(async () => {
        await state.settle();
        return state.read(names);
      });
    },
    async write(values) {
      alive();
      const commit = state.write(values);
      await inTurn(async () => {
        await state.settle();
        await commit();
      });
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      // What was called before still ends; the session closes behind it.
      // A session that cannot be closed is of no use to anybody who could be told.
      void last.then(() => session.close()).catch(() => undefined);
    },
  };
}
