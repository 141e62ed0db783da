import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * A reproducible stream of random numbers. Streams are derived from labels, never shared, so that what one consumer
 * draws cannot move what another one gets.
 */
export interface RandomStream {
  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number;
  /** Uniform integer in 0 .. limit - 1. */
  int(limit: number): number;
  /** Standard normal. */
  normal(): number;
  /** A random order of 0 .. length - 1. */
  permutation(length: number): Int32Array;
  /** A stream of its own; does not advance this one. */
  fork(...labels: readonly StreamLabel[]): RandomStream;
}

export type StreamLabel = string | number;

/** 32-bit FNV-1a over the label, started from `state`, with a final mix so that near labels give far seeds. */
function absorb(state: number, label: StreamLabel): number {
  const text = typeof label === 'number' ? `#${label}` : `$${label}`;
  let hash = state ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

/**
 * The stream that belongs to `labels`, e.g. `randomStream(seed, 'mask', epoch, sampleId)`.
 * Pure: equal labels give equal streams in any process.
 */
export function randomStream(...labels: readonly StreamLabel[]): RandomStream {
  // Two hashes started apart give 64 bits of seed: with 32, a run over millions of samples would meet equal streams.
  let low = 0;
  let high = 0x9e3779b9 | 0;
  for (const label of labels) {
    low = absorb(low, label);
    high = absorb(high, label);
  }
  const generator = xoroshiro128plus(low);
  for (let i = 0; i < 2; i++) generator.next();
  const mixed = xoroshiro128plus(high ^ generator.next());
  const word = (): number => (mixed.next() ^ generator.next()) >>> 0;

  let spareNormal: number | undefined;
  const stream: RandomStream = {
    uniform: () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992,
    int: (limit) => Math.floor(stream.uniform() * limit),
    normal: () => {
      if (spareNormal !== undefined) {
        const value = spareNormal;
        spareNormal = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
      const angle = 2 * Math.PI * stream.uniform();
      spareNormal = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    permutation: (length) => {
      const order = Int32Array.from({ length }, (_, i) => i);
      for (let i = length - 1; i > 0; i--) {
        const j = stream.int(i + 1);
        const kept = order[i] as number;
        order[i] = order[j] as number;
        order[j] = kept;
      }
      return order;
    },
    fork: (...more) => randomStream(...labels, ...more),
  };
  return stream;
}
