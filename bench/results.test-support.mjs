// Small results in the form that the bench writes.
import { summary } from './statistics.mjs';

/** A peer whose rounds of one step took these seconds. */
export const peer = (ofRounds, more = {}) => ({ version: 'PyTorch 2.15.0', ofRounds, secondsPerStep: summary(ofRounds), imagesPerSecond: 8 / summary(ofRounds).median, residentBytes: 3e9, ...more });

/** A peer of mimlab, looked at in detail. */
export const ownPeer = (ofRounds, more = {}) =>
  peer(ofRounds, {
    version: 'graph: TensorFlow 2.21.0, 2 threads, fp32',
    macs: { forward: 1e10, fixed: 0 },
    counts: { visible: 49, retained: 147, thrown: 0 },
    gigaflops: 100,
    stepBytes: 1e9,
    compile: { defineSeconds: 1, traceSeconds: 0.31, firstStepSeconds: 4, again: { defineSeconds: 1, traceSeconds: 0.02, firstStepSeconds: 3.5 } },
    loader: { imagesPerSecond: 287.2 },
    ...more,
  });

export const comparison = (peers, more = {}) => ({ method: 'mae', caseName: 'vit-b16', precision: 'fp32', batch: 8, steps: 1, rounds: 2, peers, failures: {}, ...more });

export const loading = (caseName, ratio, secondsPerImage) => ({
  caseName, batch: 8, steps: 3, without: summary([2]), with: summary([2 * ratio]), ratio: summary([ratio]),
  alone: { imagesPerSecond: 200, secondsPerImage },
}); // prettier-ignore

/** Results of `--goals`, or of a selection. */
export const results = (more = {}) => ({
  format: 1,
  kind: 'goals',
  taken: '2026-11-23T20:00:00.000Z',
  machine: { cpu: 'Xeon', cores: 2, memoryBytes: 24 * 2 ** 30, node: 'v20.20.2', load: 0.044 },
  threads: 2,
  set: [],
  seconds: 1234,
  comparisons: [],
  ...more,
});

/** Points of a growth measurement that follow the operations but for the last, which takes a tenth longer. */
export const growth = [
  { tokens: 196, batch: 8, operations: 10e9, ofRounds: [1, 1], secondsPerStep: summary([1, 1]) },
  { tokens: 49, batch: 8, operations: 2e9, ofRounds: [0.3, 0.3], secondsPerStep: summary([0.3, 0.3]) },
  { tokens: 196, batch: 16, operations: 20e9, ofRounds: [2, 2], secondsPerStep: summary([2, 2]) },
  { tokens: 400, batch: 8, operations: 30e9, ofRounds: [3.2, 3.4], secondsPerStep: summary([3.2, 3.4]) },
];
