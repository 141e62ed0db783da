import { cellsOf, DataError, type BranchTarget, type Grid, type HostTargets, type ImageSpec, type LossParts, type ParamSpecs, type Params, type PlanTensors, type Prediction, type Target } from '@mimlab/core';
import {
  atCells,
  fixed,
  hogOfCells,
  hogOfImages,
  normalizePatches,
  orientationsOf,
  PATCHES,
  patchify,
  scoredMean,
  squaredError,
  uniform,
  type LocalMimScale,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { cellOf, misfit, type LocalBranch } from './branches.js';
import { groupSums } from './heads.js';

/** Name of HOG values in targets and predictions. */
export const HOG = 'hog';

export type LocalFeature = { readonly kind: 'hog'; readonly bins: number; readonly hogBias: boolean } | { readonly kind: 'pixels'; readonly normPix: boolean };

export interface LocalTargetOptions {
  readonly image: ImageSpec;
  readonly grid: Grid;
  readonly branches: readonly LocalBranch[];
  readonly feature: LocalFeature;
}

/** The Sobel pair as the official HOG layers hold it, [2, 1, 3, 3]. The features are computed without it. */
const SOBEL = Float32Array.of(1, 0, -1, 2, 0, -2, 1, 0, -1, 1, 2, 1, 0, 0, 0, -1, -2, -1);

/** Predictions of a token: scale^2 of them in raster order. At scale 0.5 one stands for 2 x 2 tokens. */
const squareOf = (scale: LocalMimScale): { readonly height: number; readonly width: number } => ({ height: Math.max(1, scale), width: Math.max(1, scale) });

/**
 * The same description of an image at several scales, one branch each: histograms of oriented gradients, or pixels.
 * Values of a token are its predictions in raster order. Only one branch of scale 1 is needed, so that a decoder of one
 * scale can be taught by it; branches whose scale does not fit the grid are left out.
 * Source: official LocalMIM, models_mim.py, HOGLayer and forward_loss; pixels as in its Swin code.
 */
export function localTarget(options: LocalTargetOptions): Target {
  const { image, grid, feature } = options;
  const needed = options.branches.find(({ scale }) => scale === 1)?.name;
  const branches = options.branches.filter(({ scale }) => misfit(image, grid, scale) === undefined);
  const name = feature.kind === 'hog' ? HOG : PATCHES;
  const valuesOf = (scale: LocalMimScale): number => {
    const { height, width } = cellOf(image, grid, scale);
    return image.channels * (feature.kind === 'hog' ? feature.bins : height * width);
  };
  const places = new Map(options.branches.map((branch, place) => [branch.name, place]));
  const biasName = (branch: LocalBranch): string => `hog_enc.${places.get(branch.name) as number}.conv.bias`;
  const picture = branches.find((branch) => branch.name === needed);

  return {
    ...(feature.kind === 'pixels' && picture !== undefined ? { picture: { branch: picture.name, values: PATCHES, standardized: feature.normPix } } : {}),
    ...(feature.kind === 'hog' && !feature.hogBias ? { hostTargets: hogOnHost(image, grid, branches, feature.bins) } : {}),
    spec: () =>
      Object.fromEntries(
        branches.map(({ name: branch, scale }): [string, BranchTarget] => [
          branch,
          { values: valuesOf(scale), scale, loss: 'mse', output: name, ...(needed === undefined || branch === needed ? {} : { optional: true }) },
        ]),
      ),
    ...(feature.kind === 'hog' ? { params: () => hogParams(options.branches, feature.hogBias) } : {}),
    targets: (images_BHWC, _plan, params, host) =>
      Object.fromEntries(branches.map((branch) => [branch.name, { [name]: valuesAt(branch, images_BHWC, params, host) }])),
    loss: (predictions, targets, plan, scored_BN) =>
      summed(branches.flatMap(({ name: branch, scale }): [string, LossParts][] => {
        const prediction = predictions[branch];
        return prediction === undefined ? [] : [[branch, branchLoss(scale, prediction, prediction.values[name] as Tensor, targets[branch]?.[name] as Tensor, plan, scored_BN)]];
      })),
  };

  /** Targets of one branch, [B, N, scale^2 * values], or [B, N / 4, values] at scale 0.5. */
  function valuesAt(branch: LocalBranch, images_BHWC: Tensor4D, params: Params, host: Readonly<Record<string, Tensor>>): Tensor {
    const { scale } = branch;
    const cell = cellOf(image, grid, scale);
    const tokens = cellsOf(grid) * Math.min(1, scale * scale);
    if (feature.kind === 'pixels') {
      const patches = fineRows(images_BHWC, cell, scale);
      return tf.reshape(feature.normPix ? normalizePatches(patches) : patches, [-1, tokens, valuesOf(scale) * squareOf(scale).height ** 2]);
    }
    if (feature.hogBias) {
      const histograms = hogOfImages(images_BHWC, cell, feature.bins, params[biasName(branch)] as Tensor1D);
      return tf.reshape(patchify(histograms, squareOf(scale)), [-1, tokens, valuesOf(scale) * squareOf(scale).height ** 2]);
    }
    const computed = host[`${HOG}.${branch.name}`];
    if (computed === undefined) throw new DataError(`the step has no host target '${HOG}.${branch.name}'`, { remedy: 'Let the loader compute hostTargets.' });
    return computed;
  }
}

/** Patches of the size of a prediction, token by token, inside a token in raster order. */
function fineRows(images_BHWC: Tensor4D, cell: { readonly height: number; readonly width: number }, scale: LocalMimScale): Tensor2D {
  if (scale <= 1) return patchify(images_BHWC, cell);
  const channels = images_BHWC.shape[3];
  const tokens = patchify(images_BHWC, { height: cell.height * scale, width: cell.width * scale });
  const split = tf.reshape(tokens, [tokens.shape[0], scale, cell.height, scale, cell.width * channels]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4]), [tokens.shape[0] * scale * scale, cell.height * cell.width * channels]);
}

/** Frozen parameters of the official HOG layers; offsets are drawn once and belong to the checkpoint. */
function hogParams(branches: readonly LocalBranch[], bias: boolean): ParamSpecs {
  const same = { trainable: false, layout: { kind: 'same' } } as const;
  return Object.fromEntries(
    branches.flatMap((_, place) => [
      [`hog_enc.${place}.conv.weight`, { ...same, shape: [2, 1, 3, 3], init: fixed(SOBEL) }],
      // PyTorch's default for one input channel and nine taps.
      ...(bias ? [[`hog_enc.${place}.conv.bias`, { ...same, shape: [2], init: uniform(1 / 3) }] as const] : []),
    ]),
  ) as ParamSpecs;
}

/**
 * Without offsets the feature of a normalised image is that of its raw pixels, whose gradients are whole numbers: there
 * flat cells are exactly zero and no bin is decided by rounding.
 */
function hogOnHost(image: ImageSpec, grid: Grid, branches: readonly LocalBranch[], bins: number): HostTargets {
  const values = image.channels * bins;
  const shapeOf = ({ scale }: LocalBranch): readonly number[] => (scale < 1 ? [cellsOf(grid) / 4, values] : [cellsOf(grid), scale * scale * values]);
  return {
    shapes: Object.fromEntries(branches.map((branch) => [`${HOG}.${branch.name}`, shapeOf(branch)])),
    compute(pixels) {
      const orientations = orientationsOf(pixels, image, bins);
      return Object.fromEntries(
        branches.map(({ name, scale }) => [`${HOG}.${name}`, byToken(hogOfCells(orientations, cellOf(image, grid, scale)), grid.columns, scale, values)]),
      );
    },
  };
}

/** From raster order of fine cells to tokens, each with its square of cells in raster order. */
export function byToken(fine: Float32Array, columns: number, scale: LocalMimScale, values: number): Float32Array {
  if (scale <= 1) return fine;
  const out = new Float32Array(fine.length);
  const strip = scale * values;
  for (let from = 0; from < fine.length; from += strip) {
    const index = from / strip;
    const column = index % columns;
    const row = Math.floor(index / columns);
    const token = Math.floor(row / scale) * columns + column;
    out.set(fine.subarray(from, from + strip), (token * scale + (row % scale)) * strip);
  }
  return out;
}

/** One scale: squared error, weighted by the cells in the loss; at scale 0.5 by the share of each group's cells in it. */
function branchLoss(scale: LocalMimScale, { cells }: Prediction, predicted: Tensor, target: Tensor, plan: PlanTensors, scored_BN: Tensor2D): LossParts {
  if (scale >= 1) return scoredMean(squaredError(predicted, atCells(target, plan, cells)), cells, scored_BN, plan);
  const errors = tf.reshape(squaredError(predicted, target), [-1, 1]) as Tensor2D;
  const weights = groupSums(tf.reshape(scored_BN, [-1, 1]), plan.batch, plan.grid);
  // A group mixes retained and thrown cells, so it tells nothing of either.
  return { loss: tf.div(tf.sum(tf.mul(errors, weights)), tf.sum(weights)), parts: {} };
}

/** The plain sum over scales, with every scale's own loss beside it, and retained and thrown tokens apart, summed over scales of 1 and finer. */
function summed(losses: readonly (readonly [branch: string, loss: LossParts])[]): LossParts {
  const parts: Record<string, Scalar> = {};
  for (const [branch, { loss, parts: own }] of losses) {
    parts[branch] = loss;
    for (const [role, value] of Object.entries(own)) parts[role] = parts[role] === undefined ? value : tf.add(parts[role], value);
  }
  const loss = losses.map(([, own]) => own.loss).reduce((sum, value) => tf.add(sum, value));
  return { loss, parts };
}
