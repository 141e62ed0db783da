/**
 * Names of the parts of a model. The engine's trace writes the current part on every operation, so that costs and
 * profiles can be read part by part; eager execution ignores it.
 */
let current = '';

/** Part that operations built right now belong to; empty outside any part. */
export const currentPart = (): string => current;

/** Runs `build` as the part `name`. Parts nest by replacement: the innermost name counts. */
export function part<T>(name: string, build: () => T): T {
  const outer = current;
  current = name;
  try {
    return build();
  } finally {
    current = outer;
  }
}

let blocks = 0;
let block = 0;

/** Number of the block that operations built right now belong to, new for every call of `asBlock`; 0 outside any. */
export const currentBlock = (): number => block;

/**
 * Runs `build` as one block: a repeated unit of a model, a transformer block say, that an engine short of memory may
 * compute a second time in the backward pass instead of keeping what it made. A block inside a block belongs to the outer one.
 */
export function asBlock<T>(build: () => T): T {
  if (block !== 0) return build();
  block = ++blocks;
  try {
    return build();
  } finally {
    block = 0;
  }
}
