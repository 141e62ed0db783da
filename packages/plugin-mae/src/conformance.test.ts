import { describePlugin } from '@mimlab/conformance';
import { mae } from './plugin.js';

describePlugin(mae, {
  image: { height: 16, width: 16, channels: 3 },
  config: { patchSize: 4, width: 16, depth: 2, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 },
});

// Rectangular patches on a rectangular image: nothing may take the root of the number of tokens.
describePlugin(mae, {
  image: { height: 12, width: 24, channels: 1 },
  config: { patchSize: [3, 4], width: 8, depth: 1, heads: 1, decoderWidth: 8, decoderDepth: 1, decoderHeads: 1, normPix: false, embedPatches: 'all' },
});
