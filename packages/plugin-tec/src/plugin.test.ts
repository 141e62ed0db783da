import * as tf from '@tensorflow/tfjs';
import {
  composeRun,
  createObjective,
  fullPlan,
  planTensors,
  randomStream,
  stackPlans,
  totalMacs,
  type Grid,
  type ImageSpec,
  type MacParts,
  type Objective,
  type ObjectiveOptions,
  type Params,
  type PlanTensors,
  type Prediction,
  type TokenPlan,
} from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attentionLoss, LOGITS, TOP_K } from './attention.js';
import { CLASS_QUERY, QUERIES_KEYS } from './decoder.js';
import plugin, { ATTENTION, FEATURE, FEATURES, tec, TecConfig, TEACHER, teacherTokens, type TeacherOptions } from './index.js';

const image: ImageSpec = { height: 4, width: 8, channels: 1 };
const grid: Grid = { rows: 2, columns: 4 };
const small = {
  teacher: { checkpoint: null, width: 8, depth: 2, heads: 2 },
  topK: 2,
  patchSize: 2,
  width: 8,
  depth: 2,
  heads: 2,
  adapterBlocks: 1,
  decoderWidth: 8,
  decoderDepth: 1,
  decoderHeads: 2,
  maskRatio: 0.5,
};

const objectiveOf = (config: Record<string, unknown> = {}, of: ImageSpec = image, options: ObjectiveOptions = {}): Objective =>
  createObjective(composeRun({ image: of, method: { plugin: tec, config: TecConfig.parse({ ...small, ...config }) } }), options);
const paramsOf = (objective: Objective): Params =>
  Object.fromEntries(Object.entries(objective.params()).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));
const planOf = (plan: TokenPlan): PlanTensors =>
  planTensors(Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')])), plan.grid);
const ids = (...cells: number[]): Int32Array => Int32Array.from(cells);
const half: TokenPlan = { grid, visible: ids(6, 1, 3, 0), retained: ids(2, 4, 5, 7), thrown: ids() };
const pixels = tf.tensor4d(Float32Array.from({ length: 32 }, (_, i) => Math.sin(7 * i + 1)), [1, 4, 8, 1]);
const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];
const number = (x: tf.Tensor): number => x.dataSync()[0] as number;

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the TEC plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(tec);
    expect([tec.kind, tec.name, tec.paper]).toEqual(['method', 'tec', 'arXiv:2210.11016']);
  });

  it('shows both losses, and adds them with equal weight', () => {
    const objective = objectiveOf();
    const { loss, parts } = objective.evaluate({ images_BHWC: pixels, plan: planOf(half) }, paramsOf(objective), true);
    expect(Object.keys(parts)).toEqual(['retained', FEATURE, ATTENTION]);
    expect(number(loss)).toBeCloseTo(number(parts[FEATURE] as tf.Tensor) + number(parts[ATTENTION] as tf.Tensor), 5);
  });

  it('has no attention branch, nor its parameters, when features alone are reconstructed', () => {
    const objective = objectiveOf({ targets: 'feature-only' });
    expect(objective.decoder.branches.map(({ name }) => name)).toEqual([FEATURE]);
    expect(Object.keys(objective.params()).filter((name) => name.startsWith('forward_att_decoder'))).toEqual([]);
    const { parts } = objective.evaluate({ images_BHWC: pixels, plan: planOf(half) }, paramsOf(objective), true);
    expect(Object.keys(parts)).toEqual(['retained']);
  });

  it('has its decoder predict the features alone on tokens that are scored, and attention on all', () => {
    const objective = objectiveOf();
    const { predictions } = objective.evaluate({ images_BHWC: pixels, plan: planOf(half) }, paramsOf(objective), true);
    expect(predictions[FEATURE]).toMatchObject({ cells: 'retained' });
    expect(predictions[FEATURE]?.values[FEATURES]?.shape).toEqual([1, 4, 8]);
    expect(predictions[ATTENTION]?.values[QUERIES_KEYS]?.shape).toEqual([1, 8, 16]);
    expect(predictions[ATTENTION]?.values[CLASS_QUERY]?.shape).toEqual([1, 1, 16]);
  });

  it('replaces the class token by what the input adapter makes of it', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective);
    const latent = (changed: Params): number[] => numbers(objective.encoder.encode(pixels, planOf(half), { ...params, ...changed }, { training: false, random: {} })['latent'] as tf.Tensor);
    // An adapter that gives zeros leaves nothing of the token: there is no residual.
    const silent = { 'cls_token_mlp.fc2.weight': tf.zeros([32, 8]), 'cls_token_mlp.fc2.bias': tf.zeros([8]) };
    expect(latent({ ...silent, cls_token: tf.fill([1, 1, 8], 3) })).toEqual(latent(silent));
    expect(latent({ cls_token: tf.fill([1, 1, 8], 3) })).not.toEqual(latent({}));
  });

  it('encodes whole images for evaluation, and offers the class token’s attention', () => {
    const objective = objectiveOf();
    const plan = planOf(fullPlan(grid));
    const { encoder } = objective;
    const params = paramsOf(objective);
    expect(encoder.encode(pixels, plan, params, { training: false, random: {} })[encoder.output]?.shape).toEqual([1, 9, 8]);
    expect(encoder.classAttention?.(pixels, plan, params, { training: false, random: {} }).shape).toEqual([1, 2, 8]);
  });

  it('refuses more queries than there are patches, and a grid that is not its own', () => {
    expect(() => objectiveOf({ topK: 9 })).toThrow(/topK: the 9 most attended of 8 patches are asked for/);
    const { target } = objectiveOf();
    expect(() => target.spec({ rows: 4, columns: 4 })).toThrow(/the teacher's patches make a grid of 2 x 4, the encoder has 4 x 4/);
  });
});

describe('the teacher', () => {
  const options = (depth: number, lastLayers: number): TeacherOptions => ({ checkpoint: null, weights: 'teacher', width: 8, depth, heads: 2, mlpRatio: 4, lastLayers, image, patch: { height: 2, width: 2 } });
  const params = paramsOf(objectiveOf());
  const seen = (depth: number, lastLayers: number, withAttention = false): tf.Tensor3D => teacherTokens(pixels, params, options(depth, lastLayers), withAttention);

  it('has all its parameters frozen, under a prefix of its own', () => {
    const own = Object.entries(objectiveOf().target.params?.() ?? {});
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(([name, { trainable }]) => name.startsWith(TEACHER) && !trainable)).toBe(true);
  });

  it('shows the mean of its last blocks', () => {
    const [first, second] = [numbers(seen(1, 1)), numbers(seen(2, 1))];
    numbers(seen(2, 2)).forEach((value, i) => expect(value).toBeCloseTo(((first[i] as number) + (second[i] as number)) / 2, 5));
  });

  it('shows queries and keys beside the features where they are asked for', () => {
    expect(seen(2, 1, true).shape).toEqual([1, 9, 24]);
    expect(numbers(tf.slice(seen(2, 1, true), [0, 0, 0], [1, 9, 8]))).toEqual(numbers(seen(2, 1)));
  });
});

describe('the attention target', () => {
  const objective = objectiveOf();
  const targets = objective.target.targets(pixels, planOf(half), paramsOf(objective), {})[ATTENTION] ?? {};

  it('names the patches that the class token attends to most, the first one first', () => {
    const classRow = numbers(tf.mean(tf.slice(tf.reshape(targets[LOGITS] as tf.Tensor, [8, 3, 2]), [0, 0, 0], [8, 1, 2]), [1, 2]));
    const order = classRow.map((_, cell) => cell).sort((a, b) => (classRow[b] as number) - (classRow[a] as number));
    expect(numbers(targets[TOP_K] as tf.Tensor)).toEqual(order.slice(0, 2));
  });

  it('has scores of every patch for the class token and these patches', () => {
    expect(targets[LOGITS]?.shape).toEqual([1, 8, 3 * 2]);
  });
});

describe('the attention loss', () => {
  // One head of width 1, two picked patches; the scores are products of the numbers below.
  const logits = (rows: number[][]): tf.Tensor => tf.transpose(tf.tensor2d(rows)).reshape([1, 8, 3]);
  const teacherRows = [0, 1, 2].map((row) => Array.from({ length: 8 }, (_, cell) => Math.sin(row * 8 + cell)));
  const target = { [TOP_K]: tf.tensor2d([5, 6], [1, 2], 'int32'), [LOGITS]: logits(teacherRows) };
  const queries = [0.5, -1, 2, 1.5, 0.3, -0.7, 1.1, 0.2];
  const keys = [1, -0.5, 0.25, 2, -1, 0.75, 0.1, -2];
  const classQuery = 0.8;
  const predictionOf = (cells: readonly number[], kind: Prediction['cells']): Prediction => ({
    cells: kind,
    values: {
      [QUERIES_KEYS]: tf.tensor3d(cells.flatMap((cell) => [queries[cell] as number, keys[cell] as number]), [1, cells.length, 2]),
      [CLASS_QUERY]: tf.tensor3d([classQuery, 99], [1, 1, 2]),
    },
  });
  const shares = (row: number[]): number[] => {
    const sum = row.reduce((total, value) => total + Math.exp(value), 0);
    return row.map((value) => Math.exp(value) / sum);
  };
  /** Mean over rows (-1: the class token's) of the cross-entropy over the columns `cells`. */
  const expected = (rows: readonly number[], cells: readonly number[], temperature: number): number => {
    const losses = rows.map((row) => {
      const wanted = shares(cells.map((cell) => (teacherRows[row === -1 ? 0 : row - 4]?.[cell] as number) / temperature));
      const given = shares(cells.map((cell) => (row === -1 ? classQuery : (queries[row] as number)) * (keys[cell] as number)));
      return -wanted.reduce((sum, share, i) => sum + share * Math.log(given[i] as number), 0);
    });
    return losses.reduce((a, b) => a + b) / losses.length;
  };
  const lossOf = (plan: TokenPlan, prediction: Prediction, temperature = 1): number => number(attentionLoss(prediction, target, planOf(plan), { heads: 1, temperature }));
  const all = [0, 1, 2, 3, 4, 5, 6, 7];

  it.each([1, 1.8])('is the mean cross-entropy of all rows over all patches, at temperature %d', (temperature) => {
    const known = [...half.visible, ...half.retained];
    expect(lossOf(half, predictionOf(known, 'known'), temperature)).toBeCloseTo(expected([-1, 5, 6], all, temperature), 5);
  });

  it('is unchanged where thrown tokens were made again', () => {
    const plan = { ...half, retained: ids(2, 7), thrown: ids(4, 5) };
    expect(lossOf(plan, predictionOf(all, 'grid'))).toBeCloseTo(expected([-1, 5, 6], all, 1), 5);
  });

  it('leaves out rows and columns of thrown tokens that are missing, and renormalises', () => {
    const plan = { ...half, retained: ids(2, 7), thrown: ids(4, 5) };
    const known = [...plan.visible, ...plan.retained];
    expect(lossOf(plan, predictionOf(known, 'known'))).toBeCloseTo(expected([-1, 6], [...known].sort(), 1), 5);
  });

  it('keeps the class token’s row when every picked patch is thrown', () => {
    const plan = { ...half, visible: ids(1, 3, 0), retained: ids(2, 4, 7), thrown: ids(5, 6) };
    const known = [...plan.visible, ...plan.retained];
    expect(lossOf(plan, predictionOf(known, 'known'))).toBeCloseTo(expected([-1], [...known].sort(), 1), 5);
  });
});

describe('what TEC costs', () => {
  const official: ImageSpec = { height: 224, width: 224, channels: 3 };
  const partsOf = (config: Record<string, unknown> = {}): MacParts => {
    const settings = TecConfig.parse({ teacher: { checkpoint: null }, ...config, ...tec.paperCount });
    return createObjective(composeRun({ image: official, method: { plugin: tec, config: settings } }), { predictTokens: 'sequence' }).macs();
  };
  const giga = (macs: number): string => (macs / 1e9).toFixed(3);

  it('is the published cost of a ViT-B/16 student, and of the teacher beside it', () => {
    const { target = 0, ...student } = partsOf();
    expect(giga(totalMacs(student))).toBe('8.307');
    // The teacher's scores of ten rows, which the published count leaves out, are 0.0015 G.
    expect(giga(target)).toBe('17.565');
    expect(giga(target - 10 * 196 * 768)).toBe('17.563');
  });

  it('goes under the names of the traced parts', () => {
    expect(Object.keys(partsOf()).sort()).toEqual(['adapter', 'decoder', 'decoderEmbed', 'encoder', 'head', 'patch', 'target']);
  });

  it('has one pass of the decoder less without attention', () => {
    const [both, one] = [partsOf(), partsOf({ targets: 'feature-only' })];
    expect(one['decoder']).toBe((both['decoder'] as number) / 2);
    expect(one['adapter']).toBe(both['adapter']);
  });
});
