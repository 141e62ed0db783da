import type { PixelStatistics } from '@mimlab/core';

/** Statistics that stand in for a data set's: no count depends on them. */
export const neutralStatistics = (channels: number): PixelStatistics => ({
  mean: new Array<number>(channels).fill(0.5),
  std: new Array<number>(channels).fill(0.25),
});
