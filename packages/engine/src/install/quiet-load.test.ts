import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quietly } from './quiet-load.js';

/** What reaches the file descriptor of stderr while `body` runs. */
function stderrOf(body: () => void): string {
  const koffi = createRequire(import.meta.url)('koffi') as { load(path: null): { func(declaration: string): (...args: number[]) => number } };
  const libc = koffi.load(null);
  const [dup, dup2] = [libc.func('int dup(int fd)'), libc.func('int dup2(int from, int to)')];
  const folder = mkdtempSync(join(tmpdir(), 'mimlab-stderr-'));
  const file = openSync(join(folder, 'stderr'), 'w');
  const terminal = dup(2);
  dup2(file, 2);
  try {
    body();
  } finally {
    dup2(terminal, 2);
    closeSync(terminal);
    closeSync(file);
  }
  const written = readFileSync(join(folder, 'stderr'), 'utf8');
  rmSync(folder, { recursive: true });
  return written;
}

describe('quietly', () => {
  it('returns what the load returns', () => {
    expect(quietly(() => 7)).toBe(7);
  });

  it.runIf(process.platform === 'linux')('swallows what is written meanwhile, and nothing before or after', () => {
    const written = stderrOf(() => {
      writeSync(2, 'before ');
      quietly(() => writeSync(2, 'greeting '));
      writeSync(2, 'after');
    });
    expect(written).toBe('before after');
  });

  it.runIf(process.platform === 'linux')('passes errors on, with stderr as it was', () => {
    const written = stderrOf(() => {
      const broken = (): never => {
        throw new Error('broken library');
      };
      expect(() => quietly(broken)).toThrow('broken library');
      writeSync(2, 'still here');
    });
    expect(written).toBe('still here');
  });
});
