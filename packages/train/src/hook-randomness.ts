import { randomStream, sizeOfShape, type HostTensor, type Objective } from '@mimlab/core';

/**
 * The `random.*` inputs of one micro-batch: what hooks asked for with `randomInputs`, drawn from streams labelled
 * (seed, 'hooks', input, update, micro-batch), so that a resumed run sees the same draws.
 * @param update number of the update, 1 for the first
 * @param microBatch index of the micro-batch within the update
 */
export function hookRandomness(objective: Objective, batch: number, seed: number, update: number, microBatch: number): Record<string, HostTensor> {
  const inputs: Record<string, HostTensor> = {};
  for (const [name, { shape, distribution }] of Object.entries(objective.randomInputs(batch))) {
    const stream = randomStream(seed, 'hooks', name, update, microBatch);
    const draw = distribution === 'uniform' ? () => stream.uniform() : () => stream.normal();
    inputs[`random.${name}`] = { shape, dtype: 'float32', data: Float32Array.from({ length: sizeOfShape(shape) }, draw) };
  }
  return inputs;
}
