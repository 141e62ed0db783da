import { describePlugin } from '@mimlab/conformance';
import { localMim } from './plugin.js';

const size = { width: 8, depth: 4, taps: [1, 2, 3, 4], heads: 2, decoderWidth: 8, decoderHeads: 2 };

describePlugin(localMim, { image: { height: 16, width: 16, channels: 3 }, config: { ...size, patchSize: 4, bins: 4 } });

// Pixels, rectangular patches on a rectangular image, fewer scales, everything computed as in the released code.
describePlugin(localMim, {
  image: { height: 16, width: 32, channels: 1 },
  config: { ...size, patchSize: [4, 8], scales: [2, 1, 0.5], taps: [1, 2, 4], kind: 'pixels', embedPatches: 'all', headTokens: 'grid' },
});

// Swin: 2 x 2 units of 8 x 8 pixels, windows that are shifted in the first stage, offsets of the gradient filters.
describePlugin(localMim, {
  image: { height: 16, width: 16, channels: 2 },
  config: { arch: 'swin', patchSize: 2, width: 4, depth: [2, 1, 1], heads: [1, 2, 2], window: 4, decoderWidth: 16, decoderHeads: 2, bins: 4, maskRatio: 0.3 },
  throw: 0.25,
  refusesThrowing: true,
});
