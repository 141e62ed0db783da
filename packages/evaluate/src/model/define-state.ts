import type { HostTensor, NamedHostTensors, ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { parameterState } from '@mimlab/train';
import type { EvaluatedModel } from '../protocol/protocol.js';

/** Creates parameters in the engine: with the given values, the others with starting values drawn from the seed. */
export async function defineParameters(engine: Engine, specs: ParamSpecs, values: NamedHostTensors, seed: number): Promise<void> {
  const state = Object.entries(parameterState(specs, seed)).map(([name, { shape, init }]) => {
    const given: HostTensor | undefined = values[name];
    return [name, { shape, init: given === undefined ? init : () => given.data as Float32Array }] as const;
  });
  await engine.define(Object.fromEntries(state));
}

/** Creates the encoder in the engine, unless it is there. */
export async function ensureEncoder(engine: Engine, { encoder, encoderValues }: Pick<EvaluatedModel, 'encoder' | 'encoderValues'>): Promise<void> {
  const specs = encoder.params();
  const known = engine.stateNames();
  if (Object.keys(specs).every((name) => known.includes(name))) return;
  // Every parameter has a value, so the seed decides nothing.
  await defineParameters(engine, specs, await encoderValues(), 0);
}
