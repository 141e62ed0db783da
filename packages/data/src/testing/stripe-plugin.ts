import { join } from 'node:path';
import type { CompositionRef } from '@mimlab/core';
import { writeFile } from './tiny-data.js';

export interface StripeConfig {
  readonly scope?: 'image' | 'batch';
  /** Host targets: the mean of the pixels. */
  readonly hostTargets?: boolean;
  /** As many numbers in place of the mean, 0 for none. */
  readonly hostNumbers?: number;
  /** Sample whose plan fails. */
  readonly failAt?: number;
  /** Sample whose plan lists a cell twice. */
  readonly wrongAt?: number;
  /** Sample at which the thread ends. */
  readonly exitAt?: number;
  /** File that gets one line for each plan made. */
  readonly log?: string;
  /** Plans carry an array whose length differs from sample to sample: 500, 1 or 9 numbers. */
  readonly uneven?: boolean;
  /** Milliseconds that each plan takes at least. */
  readonly slow?: number;
  /** The plugin cannot even be configured. */
  readonly refuse?: boolean;
}

/** Hides half of a 2 x 4 grid at random, as JavaScript that any thread can load without a build. */
const SOURCE = `
import { appendFileSync } from 'node:fs';
function sampler({ scope = 'image', failAt, wrongAt, exitAt, log, slow = 0, uneven = false }) {
  return {
    scope,
    counts: () => ({ visible: 4, retained: 3, thrown: 1 }),
    sample({ grid, streams, sampleId, crop, state }) {
      if (log !== undefined) appendFileSync(log, sampleId + '\\n');
      for (const end = Date.now() + slow; Date.now() < end; );
      if (sampleId === failAt) throw new Error('no plan today');
      if (sampleId === exitAt) process.exit(7);
      const order = streams.mask.permutation(grid.rows * grid.columns);
      const first = streams.sample.int(4);
      const masked = [...order.subarray(4 + first), ...order.subarray(4, 4 + first)];
      if (sampleId === wrongAt) masked[0] = order[0];
      return {
        grid,
        visible: order.slice(0, 4),
        retained: Int32Array.from(masked.slice(0, 3)),
        thrown: Int32Array.from(masked.slice(3)),
        aux: { corner: Int32Array.of(Math.round(crop.top), Math.round(crop.left)), ...(state === undefined ? {} : { state: Int32Array.from(state) }), ...(uneven ? { uneven: new Int32Array([500, 1, 9][sampleId % 3]).fill(sampleId) } : {}) },
      };
    },
  };
}
const mean = (pixels) => Float32Array.of(pixels.reduce((sum, value) => sum + value, 0) / pixels.length);
export default {
  kind: 'method',
  name: 'stripes',
  hooks(config) {
    if (config.refuse) throw new Error('refused on purpose');
    return {
      sampler: () => sampler(config),
      encoder: () => ({ grid: { rows: 2, columns: 4 } }),
      decoder: () => ({}),
      target: () => (config.hostTargets ? { hostTargets: { shapes: { mean: [1] }, compute: (pixels) => (config.hostNumbers === 0 ? {} : { mean: config.hostNumbers === undefined ? mean(pixels) : new Float32Array(config.hostNumbers) }) } } : {}),
    };
  },
};
`;

/** Writes the plugin into `folder` and refers to it. */
export function stripePlugin(folder: string, config: StripeConfig = {}): CompositionRef {
  const module = join(folder, 'stripes.mjs');
  writeFile(module, SOURCE);
  return { image: { height: 4, width: 8, channels: 1 }, method: { module, config } };
}
