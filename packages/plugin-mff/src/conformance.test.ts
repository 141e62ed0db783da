import { describePlugin } from '@mimlab/conformance';
import { mff } from './plugin.js';

describePlugin(mff, {
  image: { height: 16, width: 16, channels: 3 },
  config: { patchSize: 4, width: 16, depth: 3, heads: 2, fuseBlocks: [0, 2], decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 },
});

// A single level: MAE, with a weight that is frozen because it decides nothing.
describePlugin(mff, {
  image: { height: 12, width: 24, channels: 1 },
  config: { patchSize: [3, 4], width: 8, depth: 1, heads: 1, decoderWidth: 8, decoderDepth: 1, decoderHeads: 1, normPix: false, embedPatches: 'all', positions: 'mae', evaluate: 'fused' },
});
