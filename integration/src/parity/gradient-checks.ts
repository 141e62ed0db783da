import { toFileLayout, type HostTensor, type NamedHostTensors, type ParamSpec, type ParamSpecs } from '@mimlab/core';
import { expect } from 'vitest';
import { expectClose, expectNear, isKeyBias } from './closeness.js';
import { withoutPrefix, type Golden } from './golden-cases.js';

/** Keys of a bias get no gradient but rounding noise: held to an absolute bound. */
const KEY_BIAS = 1e-6;

/**
 * Expects exactly the gradients that a case stores as `grad.NAME`, each within `tolerance` of its own largest entry.
 * @param actual what `gradientStep` gives, in memory layout
 * @param run the parameters, and which of them have a gradient
 */
export function expectGradients(actual: NamedHostTensors, { tensors }: Pick<Golden, 'tensors'>, run: { readonly specs: ParamSpecs; readonly trainable: readonly string[] }, tolerance: number): void {
  const stored = withoutPrefix(tensors, 'grad.');
  expect(Object.keys(stored).sort(), 'parameters with a gradient').toEqual([...run.trainable].sort());
  for (const name of run.trainable) {
    const reference = stored[name] as HostTensor;
    const gradient = toFileLayout((run.specs[name] as ParamSpec).layout, actual[name] as HostTensor);
    expectClose(`grad.${name}`, gradient, reference, tolerance);
    expectNear(`keys of grad.${name}`, gradient, reference, KEY_BIAS, (i) => isKeyBias(name, reference.data.length, i));
  }
}
