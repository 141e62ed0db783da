import type { PixelStatistics } from '@mimlab/core';
import { DataError } from '@mimlab/core';

/** Over the 60,000 training images: 0.13066, 0.30811. */
export const MNIST_STATISTICS: PixelStatistics = { mean: [0.1307], std: [0.3081] };

/**
 * The usual figures over the 50,000 training images. Measured on a JPEG copy of them: 0.4913, 0.4821, 0.4465 and
 * 0.2452, 0.2428, 0.2606 (compression takes a little contrast away).
 */
export const CIFAR10_STATISTICS: PixelStatistics = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };

/** The usual figures over the 50,000 training images. */
export const CIFAR100_STATISTICS: PixelStatistics = { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] };

/** The usual figures over the 60,000 training images. */
export const FASHION_MNIST_STATISTICS: PixelStatistics = { mean: [0.286], std: [0.353] };

/** The figures every ImageNet recipe uses. */
export const IMAGENET_STATISTICS: PixelStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * The statistics of `statistics` for images that are used with `channels` channels: a grey value repeated, or colours
 * averaged by their brightness (deviations too, which takes the channels as moving together).
 */
export function statisticsFor(statistics: PixelStatistics, channels: number): PixelStatistics {
  const { mean, std } = statistics;
  if (mean.length === channels) return statistics;
  if (mean.length === 1) return { mean: Array<number>(channels).fill(mean[0] as number), std: Array<number>(channels).fill(std[0] as number) };
  if (channels === 1 && mean.length === 3) return { mean: [brightness(mean)], std: [brightness(std)] };
  throw new DataError(`mean and deviation of ${mean.length} channels do not fit images of ${channels}`, {
    place: 'data.mean',
    remedy: `Give ${channels} numbers for mean and std.`,
  });
}

const brightness = ([r = 0, g = 0, b = 0]: readonly number[]): number => 0.299 * r + 0.587 * g + 0.114 * b;
