import type { NamedHostTensors } from '@mimlab/core';
import { createEagerEngine, createEngine, findTensorflow, type Engine, type StepDefinition, type StepOutcome } from '@mimlab/engine';

/** An engine that can run on this machine. */
export interface AvailableEngine {
  readonly name: string;
  create(): Promise<Engine>;
}

/**
 * The engines to compare on: eager execution on the best backend and on wasm (what a machine without TensorFlow gets),
 * and the compiled graph where libtensorflow is found; a line says so where it is not.
 */
export function engines(): readonly AvailableEngine[] {
  const eager = (['auto', 'wasm'] as const).map((eagerBackend) => ({
    name: eagerBackend === 'auto' ? 'eager' : `eager ${eagerBackend}`,
    create: () => createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend }),
  }));
  if (findTensorflow() === undefined) {
    process.stderr.write('no libtensorflow: the graph engine is not compared\n');
    return eager;
  }
  return [...eager, { name: 'graph', create: () => createEngine({ kind: 'graph', precision: 'fp32' }) }];
}

/** Runs a step once, with the outputs that are asked for. */
export async function runOnce(engine: Engine, definition: StepDefinition, inputs: NamedHostTensors, outputs: readonly string[]): Promise<StepOutcome> {
  const step = engine.compile(definition);
  try {
    return await step.run(inputs, { outputs });
  } finally {
    step.dispose();
  }
}
