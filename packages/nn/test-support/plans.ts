import { planTensors, stackPlans, type Grid, type PlanTensors, type TokenPlan } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs';

/** A plan written out: the first `visible` and the next `retained` cells of an order; the rest is thrown. */
export const planOf = (grid: Grid, order: readonly number[], visible: number, retained: number): TokenPlan => ({
  grid,
  visible: Int32Array.from(order.slice(0, visible)),
  retained: Int32Array.from(order.slice(visible, visible + retained)),
  thrown: Int32Array.from(order.slice(visible + retained)).sort(),
});

/** The tensors of a batch of plans, as a step has them. */
export function tensorsOf(plans: readonly TokenPlan[]): PlanTensors {
  const inputs = Object.entries(stackPlans(plans)).map(([name, { data, shape }]) => [name, tf.tensor(data as Int32Array, [...shape], 'int32')] as const);
  return planTensors(Object.fromEntries(inputs), (plans[0] as TokenPlan).grid);
}
