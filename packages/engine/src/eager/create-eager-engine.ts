import { EngineError } from '@mimlab/core';
import type { Engine, EngineOptions } from '../contract.js';
import { loadBackend, onBackend } from './eager-backend.js';
import { createEagerState } from './eager-state.js';
import { createEagerStep } from './eager-step.js';

/**
 * An engine that runs steps operation by operation on a tfjs backend: for debugging, small work, and machines without
 * TensorFlow. A step blocks the event loop while it runs.
 * @throws EngineError if the backend cannot be loaded, or something is asked for that only the graph engine has.
 */
export async function createEagerEngine(options: EngineOptions): Promise<Engine> {
  if (options.precision !== 'fp32') {
    throw new EngineError(`precision ${options.precision} exists on the graph engine only`, { place: 'engine.precision', remedy: 'Use precision fp32, or kind graph.' });
  }
  if (options.xla) throw new EngineError('XLA exists on the graph engine only', { place: 'engine.xla', remedy: 'Leave xla out, or use kind graph.' });
  if (options.recompute !== undefined && options.recompute !== 'none') {
    throw new EngineError(`the eager engine keeps what it has computed and cannot compute ${options.recompute} again`, {
      place: 'engine.recompute',
      remedy: 'Leave recompute out, or use kind graph.',
    });
  }
  const backend = await loadBackend(options.eagerBackend, options.threads);
  const state = createEagerState();
  let disposed = false;
  const on = <T>(work: () => T): T => {
    if (disposed) throw new EngineError('the engine was disposed', { place: 'engine' });
    return onBackend(backend.name, work);
  };

  return {
    kind: 'eager',
    description: `eager: ${backend.description}`,
    precision: 'fp32',
    async define(specs) {
      on(() => {
        const known = Object.keys(specs).find((name) => state.has(name));
        if (known !== undefined) throw new EngineError('state of this name exists', { place: known, remedy: 'Define each state once in an engine.' });
        for (const [name, spec] of Object.entries(specs)) state.define(name, spec);
      });
    },
    compile: (definition) => createEagerStep(definition, state, on),
    stateNames: () => state.names(),
    read: async (names) => on(() => state.read(names)),
    write: async (values) => on(() => state.write(values)),
    dispose() {
      if (disposed) return;
      on(() => state.dispose());
      disposed = true;
    },
  };
}
