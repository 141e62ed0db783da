import type { Engine, EngineOptions } from './contract.js';
import { EngineError } from '@mimlab/core';
import { findKernels, findTensorflow } from './install/index.js';

/**
 * Makes the engine that `options` ask for. `auto` is the compiled graph where libtensorflow is found, else eager
 * execution. Each half is loaded only when it is chosen.
 * @throws EngineError if kind `graph` is asked for and there is no libtensorflow, or an option does not fit the kind.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const location = options.kind === 'eager' ? undefined : findTensorflow();
  if (location === undefined && options.kind === 'graph') {
    throw new EngineError('no libtensorflow was found', {
      place: 'engine.kind graph',
      remedy: `Run 'npm run setup', name its folder in MIMLAB_TENSORFLOW, or use kind eager.`,
    });
  }
  if (location === undefined) {
    const { createEagerEngine } = await import('./eager/create-eager-engine.js');
    return createEagerEngine(options);
  }
  const { createGraphEngine } = await import('./graph/graph-engine.js');
  return createGraphEngine(options, location.library, findKernels(location));
}
