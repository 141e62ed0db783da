import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '@mimlab/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileLibrary, requireCompiler, type Compilation } from './compile-library.js';
import { MissingToolError } from './setup-error.js';

/** A compiler that writes its arguments as its output, or complains on the second line and fails. */
const FAKE_GXX = `#!/bin/sh
[ "$1" = --version ] && { echo 'g++ 12.2.0'; exit 0; }
[ -n "$FAKE_FAILS" ] && { echo 'In file included from a.cc:' >&2; echo 'a.cc:3: error: no such thing' >&2; exit 1; }
arguments="$*"
while [ $# -gt 0 ]; do
  [ "$1" = -o ] && output=$2
  shift
done
echo "$arguments" > "$output"
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-compile-'));
  writeFileSync(join(folder, 'g++'), FAKE_GXX);
  chmodSync(join(folder, 'g++'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const compilation = (environment: Record<string, string> = {}): Compilation => ({
  what: 'the thing',
  without: 'all else works without it',
  place: '/sources',
  output: join(folder, 'out', 'thing.so'),
  sources: ['/sources/a.cc'],
  flags: ['-O2', '-shared'],
  libraries: ['/tf/libone.so.2', '/tf/libtwo.so.2'],
  location: { folder: '/tf', library: '/tf/libone.so.2', framework: '/tf/libtwo.so.2', source: 'cache' },
  environment: { PATH: folder, ...environment },
});

describe('compiling a library against TensorFlow', () => {
  it('links it to the libraries by file name, and has it find them where they lie', async () => {
    await compileLibrary(compilation());
    const called = readFileSync(compilation().output, 'utf8').trim();
    expect(called).toMatch(/^-O2 -shared \/sources\/a\.cc -o \S+ -L\/tf -l:libone\.so\.2 -l:libtwo\.so\.2 -Wl,-rpath,\/tf$/);
  });

  it('makes it under another name first, and leaves nothing else behind', async () => {
    await compileLibrary(compilation());
    expect(readFileSync(compilation().output, 'utf8')).toContain('.building-');
    expect(readdirSync(join(folder, 'out'))).toEqual(['thing.so']);
  });

  it('quotes the first complaint, names the place, and says what still works', async () => {
    const error: unknown = await compileLibrary(compilation({ FAKE_FAILS: '1' })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ problem: 'g++ cannot compile the thing: a.cc:3: error: no such thing', place: '/sources', remedy: 'All else works without it.' });
    expect(existsSync(compilation().output)).toBe(false);
    expect(readdirSync(join(folder, 'out'))).toEqual([]);
  });

  it('needs a compiler, and says which and what for', () => {
    expect(() => requireCompiler(compilation())).not.toThrow();
    rmSync(join(folder, 'g++'));
    expect(() => requireCompiler(compilation())).toThrow(MissingToolError);
    expect(() => requireCompiler(compilation())).toThrow(/g\+\+ is missing: the thing cannot be compiled; all else works without it/);
  });
});
