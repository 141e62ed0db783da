import type { HostTensor } from '@mimlab/core';
import type { Engine, Step } from '@mimlab/engine';
import type { Features } from '@mimlab/evaluate';
import * as tf from '@tensorflow/tfjs-core';

/** Rows that are multiplied at once. */
const BLOCK = 5000;
/** Rows that mean and covariance are estimated from. */
const FIT = 10_000;
/** Fraction of the mean variance that is added to every direction, so that noise in empty ones is not blown up. */
const SHRINKAGE = 0.1;

/**
 * Centres features and makes their directions equally strong: cosine similarity otherwise sees little but the few
 * directions that all images share. Mean and covariance come from training images without their labels, and the same is
 * done to every kind of features that is compared.
 */
export async function whiten(engine: Engine, { train, test }: { readonly train: Features; readonly test: Features }): Promise<{ train: Features; test: Features }> {
  const { width } = train;
  const mean = meanOf(train);
  const step = engine.compile({
    name: 'products',
    state: [],
    compute: (_, { left, right }) => ({ outputs: { product: tf.matMul(left as tf.Tensor2D, right as tf.Tensor2D) } }),
  });
  try {
    const inverse = inverseFactor(await covariance(step, train, mean), width);
    const apply = async (features: Features): Promise<Features> => ({ ...features, values: await transformed(step, features, mean, inverse) });
    return { train: await apply(train), test: await apply(test) };
  } finally {
    step.dispose();
  }
}

function meanOf({ values, width, count }: Features): Float64Array {
  const rows = Math.min(count, FIT);
  const mean = new Float64Array(width);
  for (let at = 0; at < rows * width; at++) mean[at % width] = (mean[at % width] as number) + (values[at] as number) / rows;
  return mean;
}

/** Rows `from` .. `from + rows` less the mean; rows beyond the end are zero. */
function centred({ values, width, count }: Features, mean: Float64Array, from: number, rows: number): Float32Array {
  const out = new Float32Array(rows * width);
  const end = Math.min(count, from + rows) * width;
  for (let at = from * width, to = 0; at < end; at++, to++) out[to] = (values[at] as number) - (mean[to % width] as number);
  return out;
}

const matrix = (data: Float32Array, rows: number, columns: number): HostTensor => ({ shape: [rows, columns], dtype: 'float32', data });

async function product(step: Step, left: HostTensor, right: HostTensor): Promise<Float32Array> {
  const { outputs } = await step.run({ left, right }, { outputs: ['product'] });
  return (outputs['product'] as HostTensor).data as Float32Array;
}

async function covariance(step: Step, features: Features, mean: Float64Array): Promise<Float64Array> {
  const { width } = features;
  const rows = Math.min(features.count, FIT);
  const centredRows = centred(features, mean, 0, rows);
  const turned = new Float32Array(centredRows.length);
  for (let row = 0; row < rows; row++) for (let i = 0; i < width; i++) turned[i * rows + row] = (centredRows[row * width + i] as number) / rows;
  return Float64Array.from(await product(step, matrix(turned, width, rows), matrix(centredRows, rows, width)));
}

/** The inverse of the covariance's Cholesky factor, transposed, so that rows are multiplied from the left. [width, width] */
export function inverseFactor(covariance: Float64Array, width: number): Float32Array {
  const at = (i: number, j: number): number => i * width + j;
  const L = covariance.slice();
  let trace = 0;
  for (let i = 0; i < width; i++) trace += L[at(i, i)] as number;
  for (let i = 0; i < width; i++) L[at(i, i)] = (L[at(i, i)] as number) + (SHRINKAGE * trace) / width + 1e-12;
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = L[at(i, j)] as number;
      for (let k = 0; k < j; k++) sum -= (L[at(i, k)] as number) * (L[at(j, k)] as number);
      L[at(i, j)] = i === j ? Math.sqrt(sum) : sum / (L[at(j, j)] as number);
    }
  }
  const inverse = new Float32Array(width * width);
  const column = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    for (let i = j; i < width; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= (L[at(i, k)] as number) * (column[k] as number);
      column[i] = sum / (L[at(i, i)] as number);
      inverse[at(j, i)] = column[i] as number;
    }
  }
  return inverse;
}

async function transformed(step: Step, features: Features, mean: Float64Array, inverse: Float32Array): Promise<Float32Array> {
  const { width, count } = features;
  const out = new Float32Array(count * width);
  for (let from = 0; from < count; from += BLOCK) {
    const block = await product(step, matrix(centred(features, mean, from, BLOCK), BLOCK, width), matrix(inverse, width, width));
    out.set(block.subarray(0, (Math.min(count, from + BLOCK) - from) * width), from * width);
  }
  return out;
}
