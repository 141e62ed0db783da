import type { RandomStream } from '@mimlab/core';
import type { SourceImage } from '../contract.js';
import { brightness, color, contrast } from './tone-operations.js';

const CHANGES = [brightness, contrast, color];

/**
 * Brightness, contrast and saturation, in random order, each by a factor uniform in 1 - strength .. 1 + strength, as
 * torchvision's ColorJitter with three equal numbers.
 * @param strength from 0 to 1
 */
export function colorJitter(image: SourceImage, strength: number, stream: RandomStream): SourceImage {
  return Array.from(stream.permutation(CHANGES.length)).reduce((changed, index) => (CHANGES[index] as (typeof CHANGES)[number])(changed, 1 + strength * (2 * stream.uniform() - 1)), image);
}
