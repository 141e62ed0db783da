import * as tf from '@tensorflow/tfjs';
import { planTensors, stackPlans, type PlanTensors, type Prediction, type Target } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { localBranches } from './branches.js';
import { localTarget, type LocalFeature } from './target.js';

const image = { height: 8, width: 16, channels: 1 };
const grid = { rows: 2, columns: 4 };
const hog: LocalFeature = { kind: 'hog', bins: 3, hogBias: false };
const targetOf = (feature: LocalFeature, scales: (4 | 2 | 1 | 0.5)[] = [4, 2, 1, 0.5]): Target => localTarget({ image, grid, branches: localBranches(scales), feature });
const pixels = Uint8Array.from({ length: 128 }, (_, i) => (i * i * 13) % 199);
const plan: PlanTensors = (() => {
  const made = { grid, visible: Int32Array.of(3, 0), retained: Int32Array.of(1, 6, 2), thrown: Int32Array.of(4, 5, 7) };
  return planTensors(Object.fromEntries(Object.entries(stackPlans([made])).map(([name, { data, shape }]) => [name, tf.tensor(data as Int32Array, [...shape], 'int32')])), grid);
})();
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>): void => {
  expect(actual).toHaveLength(expected.length);
  Array.from(expected).forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 5));
};

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('targets at several scales', () => {
  it('need one branch of scale 1 and do without the others', () => {
    const spec = targetOf(hog).spec(grid);
    expect(Object.entries(spec).map(([name, { values, scale, optional }]) => [name, values, scale, optional])).toEqual([
      ['local0', 3, 4, true],
      ['local1', 3, 2, true],
      ['local2', 3, 1, undefined],
      ['local3', 3, 0.5, true],
    ]);
  });

  it('need all branches where none is of scale 1', () => {
    expect(Object.values(targetOf(hog, [4, 2]).spec(grid)).map(({ optional }) => optional)).toEqual([undefined, undefined]);
  });

  it('ask for as many pixels as a cell has', () => {
    const spec = targetOf({ kind: 'pixels', normPix: true }).spec(grid);
    expect(Object.values(spec).map(({ values }) => values)).toEqual([1, 4, 16, 64]);
  });

  it('can be shown as pictures where they are pixels, never where they are histograms', () => {
    expect(targetOf({ kind: 'pixels', normPix: false }).picture).toEqual({ branch: 'local2', values: 'patches', standardized: false });
    expect(targetOf(hog).picture).toBeUndefined();
  });
});

describe('HOG from raw pixels', () => {
  it('has the shapes it announces', () => {
    const { shapes, compute } = targetOf(hog).hostTargets!;
    expect(shapes).toEqual({ 'hog.local0': [8, 48], 'hog.local1': [8, 12], 'hog.local2': [8, 3], 'hog.local3': [2, 3] });
    for (const [name, values] of Object.entries(compute(pixels))) expect(values).toHaveLength(shapes[name]!.reduce((a, b) => a * b));
  });

  it('is missed by name where the loader did not compute it', () => {
    expect(() => targetOf(hog).targets(tf.zeros([1, 8, 16, 1]), plan, {}, {})).toThrow(/no host target 'hog\.local0'/);
  });

  it('is the same on the device, where offsets of zero change nothing', () => {
    const device = targetOf({ ...hog, hogBias: true });
    expect(device.hostTargets).toBeUndefined();
    const params = Object.fromEntries([0, 1, 2, 3].map((k) => [`hog_enc.${k}.conv.bias`, tf.zeros([2])]));
    const images = tf.tensor4d(Float32Array.from(pixels), [1, 8, 16, 1]);
    const found = device.targets(images, plan, params, {});
    const computed = targetOf(hog).hostTargets!.compute(pixels);
    for (const name of ['local0', 'local1', 'local2', 'local3']) close(found[name]!['hog']!.dataSync(), computed[`hog.${name}`]!);
  });

  it('has frozen filters, and frozen offsets within a third', () => {
    const specs = targetOf({ ...hog, hogBias: true }).params!();
    expect(Object.keys(specs)).toHaveLength(8);
    expect(Object.values(specs).some(({ trainable }) => trainable)).toBe(false);
    expect(Object.keys(targetOf(hog).params!())).toEqual([0, 1, 2, 3].map((k) => `hog_enc.${k}.conv.weight`));
    expect(targetOf({ kind: 'pixels', normPix: true }).params).toBeUndefined();
  });
});

describe('pixels', () => {
  it('are cut into the cells of each scale, token by token', () => {
    const images = tf.tensor4d(Float32Array.from({ length: 128 }, (_, i) => i), [1, 8, 16, 1]);
    const found = targetOf({ kind: 'pixels', normPix: false }).targets(images, plan, {}, {});
    const half = found['local1']!['patches']!;
    expect(half.shape).toEqual([1, 8, 16]);
    // Token 1 starts at column 4: cells of 2 x 2 pixels, left to right, top to bottom.
    expect([...half.dataSync().subarray(16, 32)]).toEqual([4, 5, 20, 21, 6, 7, 22, 23, 36, 37, 52, 53, 38, 39, 54, 55]);
    expect(found['local3']!['patches']!.shape).toEqual([1, 2, 64]);
  });

  it('are standardised cell by cell', () => {
    const images = tf.randomNormal<tf.Rank.R4>([1, 8, 16, 1], 30, 200, 'float32', 5);
    const found = targetOf({ kind: 'pixels', normPix: true }, [2, 1]).targets(images, plan, {}, {});
    const cells = tf.reshape(found['local0']!['patches']!, [-1, 4]);
    close(tf.mean(cells, 1).dataSync(), new Array<number>(32).fill(0));
    close(tf.div(tf.sum(tf.square(cells), 1), 3).dataSync(), new Array<number>(32).fill(1));
  });
});

describe('the loss', () => {
  const target = targetOf({ kind: 'pixels', normPix: false }, [2, 1, 0.5]);
  const scored = tf.tensor2d([[0, 1, 1, 0, 0, 0, 1, 0]]);
  const prediction = (cells: Prediction['cells'], data: number[][]): Prediction => ({ cells, values: { patches: tf.tensor3d([data]) } });
  const truth = (cells: number, values: number) => ({ patches: tf.zeros([1, cells, values]) });

  it('weighs a coarse cell by the share of its cells in the loss', () => {
    // Groups: cells 0 1 4 5 with one of four scored, cells 2 3 6 7 with two.
    const { loss, parts } = target.loss({ local2: prediction('grid', [[1], [2]]) }, { local2: truth(2, 1) }, plan, scored);
    expect(loss.dataSync()[0]).toBeCloseTo((1 * 0.25 + 4 * 0.5) / 0.75, 5);
    expect(Object.keys(parts)).toEqual(['local2']);
  });

  it('is the plain sum over the scales that are predicted, each told apart', () => {
    const retained = prediction('retained', [[1, 1], [2, 2], [3, 3]]);
    const { loss, parts } = target.loss({ local0: retained, local1: retained }, { local0: truth(8, 2), local1: truth(8, 2) }, plan, scored);
    expect(parts['local0']!.dataSync()[0]).toBeCloseTo(14 / 3, 5);
    expect(loss.dataSync()[0]).toBeCloseTo(28 / 3, 5);
    expect(parts['retained']!.dataSync()[0]).toBeCloseTo(28 / 3, 5);
  });
});
