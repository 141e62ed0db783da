/** A value for each severity, 1 to 5. */
export type Severities<T> = readonly [T, T, T, T, T];

/** What the corruptions of one benchmark do at each severity. Lengths are in pixels. */
export interface CorruptionParameters {
  /** Deviation of the noise, on the scale 0 .. 1. */
  readonly gaussian_noise: Severities<number>;
  /** Photons that make white. */
  readonly shot_noise: Severities<number>;
  /** Share of values that become black or white. */
  readonly impulse_noise: Severities<number>;
  /** Radius of the disk, deviation of the blur that smooths its rim. */
  readonly defocus_blur: Severities<readonly [radius: number, rim: number]>;
  readonly glass_blur: Severities<readonly [sigma: number, reach: number, rounds: number]>;
  readonly motion_blur: Severities<readonly [radius: number, sigma: number]>;
  /** Zooms that are averaged: from 1 in steps. */
  readonly zoom_blur: Severities<readonly [step: number, count: number]>;
  readonly snow: Severities<readonly [mean: number, deviation: number, zoom: number, least: number, radius: number, sigma: number, kept: number]>;
  /** Weights of the image and of the frost. */
  readonly frost: Severities<readonly [image: number, frost: number]>;
  readonly fog: Severities<readonly [amount: number, decay: number]>;
  /** Added to the value of hue, saturation, value. */
  readonly brightness: Severities<number>;
  /** Factor on what differs from the mean. */
  readonly contrast: Severities<number>;
  /** Length of displacements, how far they go together, and how far three corners are moved. */
  readonly elastic_transform: Severities<readonly [length: number, sigma: number, corners: number]>;
  /** Size of the small image over the whole. */
  readonly pixelate: Severities<number>;
  readonly jpeg_compression: Severities<number>;
}

/** ImageNet-C (Hendrycks & Dietterich 2019), for images of 224 pixels: make_imagenet_c.py of hendrycks/robustness. */
const IMAGENET_C: CorruptionParameters = {
  gaussian_noise: [0.08, 0.12, 0.18, 0.26, 0.38],
  shot_noise: [60, 25, 12, 5, 3],
  impulse_noise: [0.03, 0.06, 0.09, 0.17, 0.27],
  defocus_blur: [[3, 0.1], [4, 0.5], [6, 0.5], [8, 0.5], [10, 0.5]],
  glass_blur: [[0.7, 1, 2], [0.9, 2, 1], [1, 2, 3], [1.1, 3, 2], [1.5, 4, 2]],
  motion_blur: [[10, 3], [15, 5], [15, 8], [15, 12], [20, 15]],
  zoom_blur: [[0.01, 12], [0.01, 16], [0.02, 11], [0.02, 13], [0.03, 11]],
  snow: [
    [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
    [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
    [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
    [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
    [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
  ],
  frost: [[1, 0.4], [0.8, 0.6], [0.7, 0.7], [0.65, 0.7], [0.6, 0.75]],
  fog: [[1.5, 2], [2, 2], [2.5, 1.7], [2.5, 1.5], [3, 1.4]],
  brightness: [0.1, 0.2, 0.3, 0.4, 0.5],
  contrast: [0.4, 0.3, 0.2, 0.1, 0.05],
  // The published script counts with 244 where 224 was meant, and keeps it.
  elastic_transform: [
    [244 * 2, 244 * 0.7, 244 * 0.1],
    [244 * 2, 244 * 0.08, 244 * 0.2],
    [244 * 0.05, 244 * 0.01, 244 * 0.02],
    [244 * 0.07, 244 * 0.01, 244 * 0.02],
    [244 * 0.12, 244 * 0.01, 244 * 0.02],
  ],
  pixelate: [0.6, 0.5, 0.4, 0.3, 0.25],
  jpeg_compression: [25, 18, 15, 10, 7],
};

/** CIFAR-10-C, for images of 32 pixels: make_cifar_c.py of the same authors. */
const CIFAR_C: CorruptionParameters = {
  gaussian_noise: [0.04, 0.06, 0.08, 0.09, 0.1],
  shot_noise: [500, 250, 100, 75, 50],
  impulse_noise: [0.01, 0.02, 0.03, 0.05, 0.07],
  defocus_blur: [[0.3, 0.4], [0.4, 0.5], [0.5, 0.6], [1, 0.2], [1.5, 0.1]],
  glass_blur: [[0.05, 1, 1], [0.25, 1, 1], [0.4, 1, 1], [0.25, 1, 2], [0.4, 1, 2]],
  motion_blur: [[6, 1], [6, 1.5], [6, 2], [8, 2], [9, 2.5]],
  zoom_blur: [[0.01, 7], [0.01, 12], [0.01, 16], [0.01, 21], [0.01, 26]],
  snow: [
    [0.1, 0.2, 1, 0.6, 8, 3, 0.95],
    [0.1, 0.2, 1, 0.5, 10, 4, 0.9],
    [0.15, 0.3, 1.75, 0.55, 10, 4, 0.9],
    [0.25, 0.3, 2.25, 0.6, 12, 6, 0.85],
    [0.3, 0.3, 1.25, 0.65, 14, 12, 0.8],
  ],
  frost: [[1, 0.2], [1, 0.3], [0.9, 0.4], [0.85, 0.4], [0.75, 0.45]],
  fog: [[0.2, 3], [0.5, 3], [0.75, 2.5], [1, 2], [1.5, 1.75]],
  brightness: [0.05, 0.1, 0.15, 0.2, 0.3],
  contrast: [0.75, 0.5, 0.4, 0.3, 0.15],
  elastic_transform: [
    [0, 0, 32 * 0.08],
    [32 * 0.05, 32 * 0.2, 32 * 0.07],
    [32 * 0.08, 32 * 0.06, 32 * 0.06],
    [32 * 0.1, 32 * 0.04, 32 * 0.05],
    [32 * 0.1, 32 * 0.03, 32 * 0.03],
  ],
  pixelate: [0.95, 0.9, 0.85, 0.75, 0.65],
  jpeg_compression: [80, 65, 58, 50, 40],
};

export const CORRUPTION_PARAMETERS = { imagenet: IMAGENET_C, cifar: CIFAR_C } as const;
export type CorruptionSet = keyof typeof CORRUPTION_PARAMETERS;
