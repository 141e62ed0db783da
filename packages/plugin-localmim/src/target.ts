import { cellsOf, DataError, type BranchTarget, type Grid, type ImageSpec, type LossParts, type ParamSpecs, type Params, type PlanTensors, type Prediction, type Target } from '@mimlab/core';
import {
  atCells,
  cellOf,
  cellPixels,
  groupSums,
  hogHostTargets,
  hogLayerParams,
  hogOfImages,
  misfit,
  normalizePatches,
  PATCHES,
  patchify,
  scoredMean,
  squaredError,
  type LocalMimScale,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { LocalBranch } from './branches.js';

/** Name of HOG values in targets and predictions. */
export const HOG = 'hog';

export type LocalFeature = { readonly kind: 'hog'; readonly bins: number; readonly hogBias: boolean } | { readonly kind: 'pixels'; readonly normPix: boolean };

export interface LocalTargetOptions {
  readonly image: ImageSpec;
  readonly grid: Grid;
  readonly branches: readonly LocalBranch[];
  readonly feature: LocalFeature;
}

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
  const layerOf = (branch: LocalBranch): string => `hog_enc.${places.get(branch.name) as number}.conv`;
  const hostName = (branch: LocalBranch): string => `${HOG}.${branch.name}`;
  const picture = branches.find((branch) => branch.name === needed);

  return {
    ...(feature.kind === 'pixels' && picture !== undefined ? { picture: { branch: picture.name, values: PATCHES, standardized: feature.normPix } } : {}),
    ...(feature.kind === 'hog' && !feature.hogBias ? { hostTargets: hogHostTargets(image, grid, new Map(branches.map((branch) => [hostName(branch), branch.scale])), feature.bins) } : {}),
    spec: () =>
      Object.fromEntries(
        branches.map(({ name: branch, scale }): [string, BranchTarget] => [
          branch,
          { values: valuesOf(scale), scale, loss: 'mse', output: name, ...(needed === undefined || branch === needed ? {} : { optional: true }) },
        ]),
      ),
    ...(feature.kind === 'hog' ? { params: (): ParamSpecs => Object.assign({}, ...options.branches.map((branch) => hogLayerParams(layerOf(branch), feature.hogBias))) as ParamSpecs } : {}),
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
      const patches = cellPixels(images_BHWC, cell, scale);
      return tf.reshape(feature.normPix ? normalizePatches(patches) : patches, [-1, tokens, valuesOf(scale) * squareOf(scale).height ** 2]);
    }
    if (feature.hogBias) {
      const histograms = hogOfImages(images_BHWC, cell, feature.bins, params[`${layerOf(branch)}.bias`] as Tensor1D);
      return tf.reshape(patchify(histograms, squareOf(scale)), [-1, tokens, valuesOf(scale) * squareOf(scale).height ** 2]);
    }
    const computed = host[hostName(branch)];
    if (computed === undefined) throw new DataError(`the step has no host target '${hostName(branch)}'`, { remedy: 'Let the loader compute hostTargets.' });
    return computed;
  }
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
