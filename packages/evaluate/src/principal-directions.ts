import { ConfigError, randomStream, type HostTensor } from '@mimlab/core';
import type { Engine, Step } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from './features.js';

/** Rows that are multiplied at once. */
const BLOCK = 2000;
/** Each round shrinks what lies outside the wanted directions by the ratio of the variances. */
const ROUNDS = 3;

const matrix = (data: Float32Array, rows: number, columns: number): HostTensor => ({ shape: [rows, columns], dtype: 'float32', data });

/**
 * The `count` orthonormal directions along which features are strongest, [width, count]: the leading right singular
 * vectors of the rows as they are, not centred, so that cosines of projected rows come close to those of whole ones.
 * Labels are not looked at. Found by subspace iteration from a seeded start (Halko, Martinsson, Tropp 2011, "Finding
 * structure with randomness", section 4.5); within the subspace the basis is arbitrary, which no cosine sees.
 * @throws ConfigError unless 1 <= count <= the width of the features
 */
export async function principalDirections(engine: Engine, features: Features, count: number, seed: number): Promise<HostTensor> {
  const { width } = features;
  if (!Number.isInteger(count) || count < 1 || count > width) {
    throw new ConfigError(`${count} directions are asked for, features have ${width} numbers`, { place: 'directions', remedy: `Ask for 1 to ${width}.` });
  }
  const random = randomStream(seed, 'principal-directions');
  const basis = Float32Array.from({ length: width * count }, () => random.normal());
  orthonormalise(basis, width, count);
  const step = engine.compile({
    name: 'strengthen',
    state: [],
    compute: (_, { rows, directions }) => {
      const along = tf.matMul(rows as tf.Tensor2D, directions as tf.Tensor2D);
      return { outputs: { strengthened: tf.matMul(rows as tf.Tensor2D, along, true) } };
    },
  });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const sum = new Float32Array(width * count);
      for (const rows of blocks(features)) {
        const { outputs } = await step.run({ rows, directions: matrix(basis, width, count) }, { outputs: ['strengthened'] });
        ((outputs['strengthened'] as HostTensor).data as Float32Array).forEach((value, at) => (sum[at] = (sum[at] as number) + value));
      }
      basis.set(sum);
      orthonormalise(basis, width, count);
    }
  } finally {
    step.dispose();
  }
  return matrix(basis, width, count);
}

/** Features along given directions: rows of `directions.shape[1]` numbers. */
export async function projectFeatures(engine: Engine, features: Features, directions: HostTensor): Promise<Features> {
  const [, count] = directions.shape as [number, number];
  const step: Step = engine.compile({
    name: 'project',
    state: [],
    compute: (_, inputs) => ({ outputs: { projected: tf.matMul(inputs['rows'] as tf.Tensor2D, inputs['directions'] as tf.Tensor2D) } }),
  });
  const values = new Float32Array(features.count * count);
  let at = 0;
  try {
    for (const rows of blocks(features)) {
      const { outputs } = await step.run({ rows, directions }, { outputs: ['projected'] });
      const found = (outputs['projected'] as HostTensor).data as Float32Array;
      values.set(found.subarray(0, values.length - at), at);
      at += found.length;
    }
  } finally {
    step.dispose();
  }
  return { ...features, values, width: count };
}

/** Blocks of equal size, the last one filled up with rows of zeros, which add nothing: one shape, one compilation. */
function* blocks({ values, width, count }: Features): Generator<HostTensor> {
  const size = Math.min(BLOCK, count);
  for (let from = 0; from < count; from += size) {
    const block = new Float32Array(size * width);
    block.set(values.subarray(from * width, Math.min(count, from + size) * width));
    yield matrix(block, size, width);
  }
}

/** Gram-Schmidt on columns, each swept twice, which keeps them orthogonal to rounding. */
function orthonormalise(basis: Float32Array, width: number, count: number): void {
  const columns = Array.from({ length: count }, (_, j) => Float64Array.from({ length: width }, (_, i) => basis[i * count + j] as number));
  const dot = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
    return sum;
  };
  columns.forEach((column, j) => {
    const before = Math.sqrt(dot(column, column));
    for (let sweep = 0; sweep < 2; sweep++) {
      for (const other of columns.slice(0, j)) {
        const share = dot(other, column);
        for (let i = 0; i < width; i++) column[i] = (column[i] as number) - share * (other[i] as number);
      }
    }
    const norm = Math.sqrt(dot(column, column));
    // What rounding leaves of a column that depends on the others is no direction: it stays zero.
    const scale = norm > 1e-6 * before ? 1 / norm : 0;
    for (let i = 0; i < width; i++) column[i] = (column[i] as number) * scale;
  });
  columns.forEach((column, j) => {
    for (let i = 0; i < width; i++) basis[i * count + j] = column[i] as number;
  });
}
