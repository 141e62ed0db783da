import { EngineError } from '@mimlab/core';
import type { StepDefinition } from './contract.js';

/**
 * Checks what a step wants to write besides its updates.
 * @param shapeOf shape of a state; undefined or an error of its own where there is none
 * @throws EngineError naming the state that does not exist, has another shape, or is updated by a rule too
 */
export function checkAssigned(
  { name: place, optimize }: StepDefinition,
  assign: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  shapeOf: (name: string) => readonly number[] | undefined,
): void {
  for (const [name, { shape }] of Object.entries(assign)) {
    const needed = shapeOf(name);
    if (needed === undefined) throw new EngineError(`the step assigns '${name}', which is no state`, { place, remedy: 'Define it first.' });
    if (needed.join() !== shape.join()) throw new EngineError(`the step assigns [${shape.join(', ')}] to '${name}' of shape [${needed.join(', ')}]`, { place });
    if (optimize !== undefined && name in optimize.updates) {
      throw new EngineError(`the step both updates and assigns '${name}'`, { place, remedy: 'Leave it to one of them.' });
    }
  }
}
