import { EngineError } from '@mimlab/core';
import type { RunOptions, StepDefinition } from '../contract.js';
import type { GraphState } from './graph-state.js';

/** @throws EngineError if the definition does not fit the state of the engine. */
export function checkDefinition({ name: place, state: names, optimize }: StepDefinition, state: GraphState): void {
  for (const name of names) state.get(name);
  if (optimize === undefined) return;
  const { accumulate = 1 } = optimize;
  if (!Number.isInteger(accumulate) || accumulate < 1) throw new EngineError(`cannot accumulate ${accumulate} micro-batches`, { place });
  if (Object.keys(optimize.updates).length === 0) {
    throw new EngineError('the step optimizes but updates nothing', { place, remedy: 'Name parameters in updates, or leave optimize out.' });
  }
  for (const name of Object.keys(optimize.updates)) {
    if (names.includes(name)) continue;
    throw new EngineError(`the step updates '${name}' but does not read it`, { place, remedy: 'List it in state, or take it out of updates.' });
  }
}

/** @throws EngineError if an update lacks its scalars, or the phase does not fit. */
export function checkRunOptions({ name: place, optimize }: StepDefinition, { phase = 'apply', lr, update }: RunOptions): void {
  if (phase === 'accumulate') {
    if ((optimize?.accumulate ?? 1) > 1) return;
    throw new EngineError('this step updates at every run, it does not accumulate', { place, remedy: 'Set accumulate in its definition.' });
  }
  if (lr === undefined || !Number.isFinite(lr)) {
    throw new EngineError(`learning rate ${lr} is not a number`, { place, remedy: 'Give run() the option lr.' });
  }
  if (update === undefined || !Number.isInteger(update) || update < 1) {
    throw new EngineError(`update ${update} is not a whole number from 1 on`, { place, remedy: 'Give run() the option update.' });
  }
}
