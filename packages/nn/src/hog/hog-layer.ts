import type { Grid, HostTargets, ImageSpec, ParamSpecs } from '@mimlab/core';
import { cellsOf } from '@mimlab/core';
import type { LocalMimScale } from '../cost/frameworks.js';
import { fixed, uniform } from '../params/initializers.js';
import { byToken, cellOf } from '../scales/scale.js';
import { hogOfCells, orientationsOf } from './hog-of-pixels.js';

/** The Sobel pair as the official HOG layers hold it, [2, 1, 3, 3]. The features are computed without it. */
const SOBEL = Float32Array.of(1, 0, -1, 2, 0, -2, 1, 0, -1, 1, 2, 1, 0, 0, 0, -1, -2, -1);

/** Frozen parameters `PREFIX.weight` and, with offsets, `PREFIX.bias`, which is drawn once and belongs to the checkpoint. */
export function hogLayerParams(prefix: string, bias: boolean): ParamSpecs {
  const frozen = { trainable: false, layout: { kind: 'same' } } as const;
  return {
    [`${prefix}.weight`]: { ...frozen, shape: [2, 1, 3, 3], init: fixed(SOBEL) },
    // PyTorch's default for one input channel and nine taps.
    ...(bias ? { [`${prefix}.bias`]: { ...frozen, shape: [2], init: uniform(1 / 3) } } : {}),
  };
}

/**
 * HOG at several scales, computed by the loader: token by token [N, scale^2 C bins], or [N / 4, C bins] at scale 0.5. Without
 * offsets the feature of a normalised image is that of its raw pixels, whose gradients are whole numbers: there flat cells are
 * exactly zero and no bin is decided by rounding.
 * @param wanted names of the results, with their scales
 */
export function hogHostTargets(image: ImageSpec, grid: Grid, wanted: ReadonlyMap<string, LocalMimScale>, bins: number): HostTargets {
  const values = image.channels * bins;
  const shapeOf = (scale: LocalMimScale): readonly number[] => (scale < 1 ? [cellsOf(grid) / 4, values] : [cellsOf(grid), scale * scale * values]);
  return {
    shapes: Object.fromEntries([...wanted].map(([name, scale]) => [name, shapeOf(scale)])),
    compute(pixels) {
      const orientations = orientationsOf(pixels, image, bins);
      return Object.fromEntries(
        [...wanted].map(([name, scale]) => [name, byToken(hogOfCells(orientations, cellOf(image, grid, scale)), grid.columns, scale, values)]),
      );
    },
  };
}
