import { describePlugin } from '@mimlab/conformance';
import { simmim } from './plugin.js';

// Units of 2 x 2 tokens.
describePlugin(simmim, {
  image: { height: 16, width: 16, channels: 3 },
  config: { patchSize: 2, maskUnit: 4, width: 12, depth: 2, heads: 3, layerScale: 0.5 },
  throw: 0.25,
});

// Rectangular patches and units on a rectangular image, tables that do not decay, the cut behind the norm, no layer scale.
describePlugin(simmim, {
  image: { height: 12, width: 24, channels: 1 },
  config: { patchSize: [3, 4], maskUnit: [6, 4], width: 8, depth: 1, heads: 1, layerScale: null, dropPath: 0, embedPatches: 'all', aggregatePosition: 'after-norm', exemptTables: 'intended' },
});

// As AMT's release has it: learned positions, a scale that attention forgets.
describePlugin(simmim, {
  image: { height: 16, width: 16, channels: 3 },
  config: { patchSize: 4, maskUnit: 4, width: 8, depth: 2, heads: 2, layerScale: 0.5, layerScaleOn: 'mlp', positions: 'learned' },
  throw: 0.25,
});

// Two stages, the first with shifted windows. Whole grids are all it can take.
describePlugin(simmim, {
  image: { height: 8, width: 8, channels: 3 },
  config: { arch: 'swin', patchSize: 2, maskUnit: 4, width: 8, depth: [2, 1], heads: [1, 2], window: 2, dropPath: 0.2 },
  throw: 0.25,
  refusesThrowing: true,
});
