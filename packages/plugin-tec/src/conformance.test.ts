import { describePlugin } from '@mimlab/conformance';
import { tec } from './plugin.js';

describePlugin(tec, {
  image: { height: 16, width: 16, channels: 3 },
  config: {
    patchSize: 4,
    width: 16,
    depth: 2,
    heads: 2,
    adapterBlocks: 1,
    decoderWidth: 8,
    decoderDepth: 1,
    decoderHeads: 2,
    topK: 3,
    temperature: 1.8,
    teacher: { checkpoint: null, width: 12, depth: 2, heads: 3 },
  },
});

// Features alone, on a rectangular image; a teacher of one block and no adapter on the class token.
describePlugin(tec, {
  image: { height: 12, width: 24, channels: 1 },
  config: {
    patchSize: [3, 4],
    width: 8,
    depth: 2,
    heads: 1,
    adapterBlocks: 2,
    inputAdapter: false,
    decoderWidth: 8,
    decoderDepth: 1,
    decoderHeads: 1,
    targets: 'feature-only',
    embedPatches: 'all',
    teacher: { checkpoint: null, width: 8, depth: 1, heads: 1, lastLayers: 1 },
  },
});
