import { cellsOf, DataError, type BranchTarget, type Grid, type ImageSpec, type LossParts, type ParamSpecs, type Params, type Target } from '@mimlab/core';
import {
  cellOf,
  cellPixels,
  hogHostTargets,
  hogLayerParams,
  hogOfImages,
  lossAtScale,
  misfit,
  normalizePatches,
  PATCHES,
  patchify,
  sumOfBranches,
  type LocalMimScale,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
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
      sumOfBranches(branches.flatMap(({ name: branch, scale }): [string, LossParts][] => {
        const prediction = predictions[branch];
        return prediction === undefined ? [] : [[branch, lossAtScale(scale, prediction.cells, prediction.values[name] as Tensor, targets[branch]?.[name] as Tensor, plan, scored_BN)]];
      })),
  };

  /** Targets of one branch, [B, N, scale^2 * values], or [B, N / 4, values] at scale 0.5. */
  function valuesAt(branch: LocalBranch, images_BHWC: Tensor4D, params: Params, host: Readonly<Record<string, Tensor>>): Tensor {
    const { scale } = branch;
    const cell = cellOf(image, grid, scale);
    // A token has scale^2 predictions in raster order; at scale 0.5 one prediction stands for 2 x 2 tokens.
    const side = Math.max(1, scale);
    const byTokens = (values: Tensor): Tensor => tf.reshape(values, [-1, cellsOf(grid) * Math.min(1, scale * scale), valuesOf(scale) * side ** 2]);
    if (feature.kind === 'pixels') {
      const patches = cellPixels(images_BHWC, cell, scale);
      return byTokens(feature.normPix ? normalizePatches(patches) : patches);
    }
    if (feature.hogBias) {
      const histograms = hogOfImages(images_BHWC, cell, feature.bins, params[`${layerOf(branch)}.bias`] as Tensor1D);
      return byTokens(patchify(histograms, { height: side, width: side }));
    }
    const computed = host[hostName(branch)];
    if (computed === undefined) throw new DataError(`the step has no host target '${hostName(branch)}'`, { remedy: 'Let the loader compute hostTargets.' });
    return computed;
  }
}
