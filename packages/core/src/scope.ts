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
