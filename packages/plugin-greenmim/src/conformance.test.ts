import { describePlugin } from '@mimlab/conformance';
import { greenmim } from './plugin.js';

const small = { patchSize: 2, width: 4, mlpRatio: 2, decoderWidth: 8, decoderHeads: 2 };

// Three stages on grids of 16, 8 and 4 tokens: groups, one sequence with shifted windows, one window.
describePlugin(greenmim, {
  image: { height: 32, width: 32, channels: 3 },
  config: { ...small, depths: [2, 2, 1], heads: [1, 2, 2], window: 4, maskRatio: 0.75 },
});

// As released: whole blocks on groups, all patches embedded, visible tokens mixed up. Windows do not fit the grids.
describePlugin(greenmim, {
  image: { height: 16, width: 32, channels: 1 },
  config: { ...small, depths: [2, 1], heads: [1, 2], window: 3, maskRatio: 0.75, normPix: false, visibleOrder: 'released', grouping: 'released', embedPatches: 'all' },
});
