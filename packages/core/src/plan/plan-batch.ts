import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { DataError } from '../errors.js';
import { cellsOf, type Grid } from '../image.js';
import type { HostTensor, NamedTensors, TensorSpec } from '../tensors.js';
import { countsOf, type PlanCounts, type TokenPlan } from './token-plan.js';

/** Role of a cell in `roles_BN`. */
export const ROLE = { visible: 0, retained: 1, thrown: 2 } as const;

/**
 * The plans of a batch as index tensors, all int32. B images, N cells, V visible, K retained, S = V + K known.
 * A row id of the grid is b * N + cell, a row id of the known tokens b * S + place in known order.
 */
export interface PlanTensors {
  readonly batch: number;
  readonly grid: Grid;
  readonly counts: PlanCounts;
  /** Cell ids. */
  readonly visible_BV: Tensor2D;
  readonly retained_BK: Tensor2D;
  /** Grid rows of the visible, retained and known tokens, flat: [B*V], [B*K], [B*S]. */
  readonly visibleRows: Tensor1D;
  readonly retainedRows: Tensor1D;
  readonly knownRows: Tensor1D;
  /** [B*N]: for each cell the row of its known token, or B*S (one zero row appended there) if it is thrown. Inverse of `knownRows`. */
  readonly gridRows: Tensor1D;
  /** Inverse of `gridRows`, [B*S]: `knownRows`, but B*N for repeated cells, whose place on the grid the visible token has. Present with `counts.repeats`. */
  readonly knownInverse?: Tensor1D;
  /** 0 visible, 1 retained, 2 thrown (see ROLE). */
  readonly roles_BN: Tensor2D;
  /** Stacked [B, length], or [length] when one plan serves the whole batch. */
  readonly aux: NamedTensors;
}

/** Names of the inputs of a step that make up its plan; `aux` arrays follow as `plan.aux.NAME`. */
type Field = 'visible' | 'retained' | 'visibleRows' | 'retainedRows' | 'knownRows' | 'gridRows' | 'roles' | 'knownInverse';
const AUX = 'plan.aux.';

/** Shapes of the plan inputs for a batch, without the plans. @see stackPlans */
export function planSpecs(batch: number, grid: Grid, counts: PlanCounts): Record<string, TensorSpec> {
  const N = cellsOf(grid);
  const { visible: V, retained: K } = counts;
  const int32 = (...shape: number[]): TensorSpec => ({ shape, dtype: 'int32' });
  return {
    'plan.visible': int32(batch, V),
    'plan.retained': int32(batch, K),
    'plan.visibleRows': int32(batch * V),
    'plan.retainedRows': int32(batch * K),
    'plan.knownRows': int32(batch * (V + K)),
    'plan.gridRows': int32(batch * N),
    'plan.roles': int32(batch, N),
    ...(counts.repeats === true ? { 'plan.knownInverse': int32(batch * (V + K)) } : {}),
  };
}

/**
 * Stacks the plans of a batch into the inputs of a step.
 * @param shared one plan serves every image (batch scope): its `aux` is not repeated.
 * @throws DataError if the plans differ in grid or counts.
 */
export function stackPlans(plans: readonly TokenPlan[], options: { readonly shared?: boolean } = {}): Record<string, HostTensor> {
  const first = plans[0];
  if (first === undefined) throw new DataError('a batch needs at least one plan');
  const counts = countsOf(first);
  const N = cellsOf(first.grid);
  const { visible: V, retained: K, thrown: T } = counts;
  const S = V + K;
  const specs = planSpecs(plans.length, first.grid, counts);
  const out = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, { ...spec, data: new Int32Array(spec.shape.reduce((a, b) => a * b, 1)) }]),
  );
  const data = (field: Field): Int32Array => (out[`plan.${field}`] as { data: Int32Array }).data;
  data('gridRows').fill(plans.length * S);
  // A repeated cell is known twice; on the grid it is the visible token.
  const repeat = (distinct: number, cells: Int32Array, b: number): void => {
    data('retained').set(cells, b * K + distinct);
    const known = data('knownRows').subarray(b * S, (b + 1) * S);
    cells.forEach((cell, i) => {
      data('retainedRows')[b * K + distinct + i] = b * N + cell;
      known[V + distinct + i] = b * N + cell;
    });
    data('knownInverse').set(known, b * S);
    data('knownInverse').fill(plans.length * N, b * S + V + distinct, (b + 1) * S);
  };
  plans.forEach((plan, b) => {
    const own = countsOf(plan);
    if (own.visible !== V || own.retained !== K || own.thrown !== T || own.repeats !== counts.repeats || cellsOf(plan.grid) !== N) {
      throw new DataError(
        `image ${b} has ${own.visible}/${own.retained}/${own.thrown} visible/retained/thrown tokens, the batch has ${V}/${K}/${T}`,
        { place: 'plan', remedy: 'A sampler must give every image of a batch the same counts.' },
      );
    }
    data('visible').set(plan.visible, b * V);
    data('retained').set(plan.retained, b * K);
    const roles = data('roles');
    const place = (cell: number, known: number, role: number): void => {
      data('knownRows')[b * S + known] = b * N + cell;
      data('gridRows')[b * N + cell] = b * S + known;
      roles[b * N + cell] = role;
    };
    plan.visible.forEach((cell, i) => {
      data('visibleRows')[b * V + i] = b * N + cell;
      place(cell, i, ROLE.visible);
    });
    plan.retained.forEach((cell, i) => {
      data('retainedRows')[b * K + i] = b * N + cell;
      place(cell, V + i, ROLE.retained);
    });
    for (const cell of plan.thrown) roles[b * N + cell] = ROLE.thrown;
    if (plan.repeated !== undefined) repeat(plan.retained.length, plan.repeated, b);
  });
  return { ...out, ...stackAux(plans, options.shared === true) };
}

/** Shapes of a plan's own arrays. @param batch absent: one plan serves the whole batch */
export const auxSpecs = ({ aux = {} }: TokenPlan, batch?: number): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(aux).map(([name, { length }]) => [AUX + name, { shape: batch === undefined ? [length] : [batch, length], dtype: 'int32' }]));

function stackAux(plans: readonly TokenPlan[], shared: boolean): Record<string, HostTensor> {
  const out: Record<string, HostTensor> = {};
  const names = Object.keys(plans[0]?.aux ?? {});
  plans.forEach((plan, b) => {
    const other = Object.keys(plan.aux ?? {}).find((name) => !names.includes(name));
    if (other !== undefined) throw new DataError(`image ${b} has '${other}', image 0 has not`, { place: 'plan.aux' });
  });
  for (const [name, first] of Object.entries(plans[0]?.aux ?? {})) {
    if (shared) {
      out[AUX + name] = { shape: [first.length], dtype: 'int32', data: first };
      continue;
    }
    const data = new Int32Array(plans.length * first.length);
    plans.forEach((plan, b) => {
      const values = plan.aux?.[name];
      if (values?.length !== first.length) throw new DataError(`image ${b} has another length of '${name}'`, { place: 'plan.aux' });
      data.set(values, b * first.length);
    });
    out[AUX + name] = { shape: [plans.length, first.length], dtype: 'int32', data };
  }
  return out;
}

/** Gathers the plan inputs of a step into PlanTensors. Counts are read off the shapes. */
export function planTensors(inputs: NamedTensors, grid: Grid): PlanTensors {
  const get = (field: Field): unknown => {
    const tensor = inputs[`plan.${field}`];
    if (tensor === undefined) throw new DataError(`the step has no input 'plan.${field}'`);
    return tensor;
  };
  const visible_BV = get('visible') as Tensor2D;
  const retained_BK = get('retained') as Tensor2D;
  const [batch, visible] = visible_BV.shape;
  const retained = retained_BK.shape[1];
  const aux = Object.entries(inputs).filter(([name]) => name.startsWith(AUX));
  const knownInverse = inputs['plan.knownInverse'] as Tensor1D | undefined;
  const thrown = cellsOf(grid) - visible - retained;
  return {
    batch,
    grid,
    counts: { visible, retained, thrown, ...(knownInverse === undefined ? {} : { repeats: true }) },
    ...(knownInverse === undefined ? {} : { knownInverse }),
    visible_BV,
    retained_BK,
    visibleRows: get('visibleRows') as Tensor1D,
    retainedRows: get('retainedRows') as Tensor1D,
    knownRows: get('knownRows') as Tensor1D,
    gridRows: get('gridRows') as Tensor1D,
    roles_BN: get('roles') as Tensor2D,
    aux: Object.fromEntries(aux.map(([name, tensor]) => [name.slice(AUX.length), tensor])),
  };
}

export const isPlanInput = (name: string): boolean => name.startsWith('plan.');
