import { ConfigError, DataError } from '@mimlab/core';
import type { Engine, StepDefinition } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { scoreOf, type Score } from './score.js';
import type { Features } from './features.js';
import { topK } from './top-k.js';

export interface KnnOptions {
  /** Computes the similarities. */
  readonly engine: Engine;
  /** Labelled samples. */
  readonly train: Features;
  readonly test: Features;
  readonly classes: number;
  /** Neighbours that vote; fewer if there are fewer labelled samples. */
  readonly k: number;
  /** T of the weight exp(similarity / T) of a vote. */
  readonly temperature: number;
}

export interface KnnResult extends Score {
  /** Class of each test sample. */
  readonly predictions: Int32Array;
}

/** Similarities that are held at once: 128 MiB. */
const BLOCK = 1 << 25;

const similarities: StepDefinition = {
  name: 'similarities',
  state: [],
  compute: (_, { queries, bank }) => ({ outputs: { similarities: tf.matMul(queries as tf.Tensor2D, bank as tf.Tensor2D) } }),
};

/**
 * Weighted nearest neighbours: the `k` labelled samples with the largest cosine similarity s vote for their class with
 * weight exp(s / T) (Wu et al. 2018, "Unsupervised feature learning via non-parametric instance discrimination",
 * section 3.4). Of equal classes the lower wins, so that the result is a function of the features alone.
 * On an engine with precision bf16 similarities carry its rounding.
 * @throws DataError if the features do not fit each other or a label lies outside the classes
 */
export async function knnClassify(options: KnnOptions): Promise<KnnResult> {
  const { engine, train, test, classes, temperature } = options;
  check(options);
  const k = Math.min(options.k, train.count);
  const { width } = test;
  const bank = { shape: [width, train.count], dtype: 'float32', data: transposed(unitRows(train), train.count, width) } as const;
  const queries = unitRows(test);
  const rows = Math.max(1, Math.min(test.count, Math.floor(BLOCK / train.count)));
  const predictions = new Int32Array(test.count);
  const nearest = { values: new Float32Array(k), columns: new Int32Array(k) };
  const votes = new Float64Array(classes);
  // The last block is filled up with zeros: one shape, one compilation.
  const block = new Float32Array(rows * width);
  const step = engine.compile(similarities);
  try {
    for (let from = 0; from < test.count; from += rows) {
      const count = Math.min(rows, test.count - from);
      block.fill(0);
      block.set(queries.subarray(from * width, (from + count) * width));
      const { outputs } = await step.run({ queries: { shape: [rows, width], dtype: 'float32', data: block }, bank }, { outputs: ['similarities'] });
      const found = outputs['similarities']?.data as Float32Array;
      for (let row = 0; row < count; row++) {
        topK(found, row * train.count, train.count, k, nearest);
        predictions[from + row] = vote(nearest, train.labels, temperature, votes);
      }
    }
  } finally {
    step.dispose();
  }
  return { predictions, ...scoreOf(predictions, test.labels) };
}

function vote({ values, columns }: { values: Float32Array; columns: Int32Array }, labels: Int32Array, temperature: number, votes: Float64Array): number {
  votes.fill(0);
  // Measured from the nearest neighbour, which changes no proportion and keeps exp finite at any temperature.
  const largest = values[0] as number;
  for (let i = 0; i < values.length; i++) {
    const label = labels[columns[i] as number] as number;
    votes[label] = (votes[label] as number) + Math.exp(((values[i] as number) - largest) / temperature);
  }
  let winner = 0;
  for (let label = 1; label < votes.length; label++) if ((votes[label] as number) > (votes[winner] as number)) winner = label;
  return winner;
}

/** Rows divided by their norms; a row of zeros stays one. */
function unitRows({ values, width, count }: Features): Float32Array {
  const unit = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += (values[i] as number) ** 2;
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let i = row * width; i < (row + 1) * width; i++) unit[i] = (values[i] as number) * scale;
  }
  return unit;
}

/** Samples become columns: tfjs' wasm backend multiplies many times slower if it is told to transpose. */
function transposed(rows: Float32Array, count: number, width: number): Float32Array {
  const columns = new Float32Array(rows.length);
  for (let row = 0; row < count; row++) for (let i = 0; i < width; i++) columns[i * count + row] = rows[row * width + i] as number;
  return columns;
}

function check({ train, test, classes, k, temperature }: KnnOptions): void {
  if (!Number.isInteger(k) || k < 1) throw new ConfigError(`k is ${k}, a whole number from 1 on is expected`, { place: 'k' });
  if (!(temperature > 0)) throw new ConfigError(`the temperature is ${temperature}, a number above 0 is expected`, { place: 'temperature' });
  if (train.width !== test.width) throw new DataError(`labelled features have ${train.width} numbers, test features ${test.width}`, { remedy: 'Extract both with the same encoder.' });
  for (const [place, { values, width, count, labels }] of Object.entries({ train, test })) {
    if (count === 0) throw new DataError('there are no samples', { place });
    if (values.length !== count * width || labels.length !== count) throw new DataError(`${count} samples of ${width} numbers do not fit ${values.length} values and ${labels.length} labels`, { place });
    const bad = labels.find((label) => label < 0 || label >= classes);
    if (bad !== undefined) throw new DataError(`label ${bad} lies outside the ${classes} classes`, { place });
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new DataError(`feature ${at % width} of sample ${Math.floor(at / width)} is ${values[at]}`, { place, remedy: 'The encoder gives values that are not finite; check its weights.' });
  }
}
