import { CompositionError, type Encoder, type EncoderTrunk, type HostTensor, type NamedHostTensors, type NamedTensors, type ParamSpecs } from '@mimlab/core';
import { traceFunction, type Engine } from '@mimlab/engine';

/** What fine-tuning builds on. @throws CompositionError if the encoder does not offer it */
export function requireTrunk({ trunk }: Encoder): EncoderTrunk {
  if (trunk !== undefined) return trunk;
  throw new CompositionError('the encoder does not say what network it is, so no classifier can be built of it', {
    place: 'encoder',
    remedy: `Evaluate its frozen features (knn, linear), or declare 'trunk' in the plugin (README of @mimlab/evaluate).`,
  });
}

/**
 * Values of the trunk's parameters, computed from the encoder's; those that it leaves out are not among them.
 * @param specs parameters of the classifier: others are left out too
 */
export async function trunkValues(engine: Engine, trunk: EncoderTrunk, encoder: NamedHostTensors, specs: ParamSpecs): Promise<Record<string, HostTensor>> {
  const wanted = (inputs: NamedTensors): NamedTensors => Object.fromEntries(Object.entries(trunk.params(inputs)).filter(([name]) => Object.hasOwn(specs, name)));
  const names = Object.keys(traceFunction(wanted, encoder).outputs);
  const step = engine.compile({ name: 'trunk', state: [], compute: (_, inputs) => ({ outputs: wanted(inputs) }) });
  try {
    return { ...(await step.run(encoder, { outputs: names })).outputs };
  } finally {
    step.dispose();
  }
}
