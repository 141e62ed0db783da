import { describePlugin } from '@mimlab/conformance';
import { localMim } from './plugin.js';

const size = { width: 8, depth: 4, taps: [1, 2, 3, 4], heads: 2, decoderWidth: 8, decoderHeads: 2 };

describePlugin(localMim, { image: { height: 16, width: 16, channels: 3 }, config: { ...size, patchSize: 4, bins: 4 } });
