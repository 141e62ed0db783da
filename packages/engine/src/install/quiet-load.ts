import { createRequire } from 'node:module';

interface Libc {
  func(declaration: string): (...args: readonly unknown[]) => number;
}

const STDERR = 2;
const WRITE_ONLY = 1;

/**
 * Runs a synchronous load of libtensorflow without its greeting: oneDNN's note goes straight to stderr before any log
 * level is read, and would break a live progress line. Errors are thrown as ever.
 */
export function quietly<T>(load: () => T): T {
  if (process.platform !== 'linux') return load();
  const koffi = createRequire(import.meta.url)('koffi') as { load(path: string | null): Libc };
  const libc = koffi.load(null);
  const open = libc.func('int open(const char *path, int flags)');
  const dup = libc.func('int dup(int fd)');
  const dup2 = libc.func('int dup2(int from, int to)');
  const close = libc.func('int close(int fd)');

  const stderr = dup(STDERR);
  const nowhere = open('/dev/null', WRITE_ONLY);
  if (stderr < 0 || nowhere < 0) return load();
  dup2(nowhere, STDERR);
  try {
    return load();
  } finally {
    dup2(stderr, STDERR);
    close(stderr);
    close(nowhere);
  }
}
