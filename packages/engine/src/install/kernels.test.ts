import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildKernels, findKernels } from './kernels.js';
import { MissingToolError } from './setup-error.js';
import type { TensorflowLocation } from './tensorflow-location.js';

/** A compiler that notes its call and writes its arguments as its output. */
const FAKE_GXX = `#!/bin/sh
[ "$1" = --version ] && { echo 'g++ 12.2.0'; exit 0; }
[ -n "$FAKE_FAILS" ] && { echo 'kernels.cc:1: error: no such processor' >&2; exit 1; }
echo called >> "$FAKE_ROOT/calls"
arguments="$*"
while [ $# -gt 0 ]; do
  [ "$1" = -o ] && output=$2
  shift
done
echo "$arguments" > "$output"
`;

let folder: string;
let location: TensorflowLocation;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-kernels-'));
  write('bin/g++', FAKE_GXX);
  chmodSync(join(folder, 'bin/g++'), 0o755);
  location = libraryAt('wheel/tensorflow');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
function libraryAt(path: string): TensorflowLocation {
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) write(`${path}/${name}`, name);
  const own = join(folder, path);
  return { folder: own, library: join(own, 'libtensorflow_cc.so.2'), framework: join(own, 'libtensorflow_framework.so.2'), source: 'cache' };
}
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: join(folder, 'bin'),
  MIMLAB_CACHE: join(folder, 'cache'),
  FAKE_ROOT: folder,
  ...more,
});
const compilations = (): number => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').length : 0);

describe('compiling the fused kernels', () => {
  it('links them to the library and keeps them in the cache', async () => {
    const file = await buildKernels(location, { environment: environment() });
    expect(file).toContain(join(folder, 'cache', 'kernels'));
    expect(readFileSync(file as string, 'utf8')).toContain(`-rpath,${location.folder}`);
    expect(findKernels(location, environment())).toBe(file);
  });

  it('is done once', async () => {
    await buildKernels(location, { environment: environment() });
    await buildKernels(location, { environment: environment() });
    expect(compilations()).toBe(1);
  });

  it('gives each library kernels of its own', async () => {
    const first = await buildKernels(location, { environment: environment() });
    expect(await buildKernels(libraryAt('other/tensorflow'), { environment: environment() })).not.toBe(first);
  });

  it('finds those of a library that is seen through a link', async () => {
    const file = await buildKernels(location, { environment: environment() });
    symlinkSync(join(folder, 'wheel'), join(folder, 'link'));
    const linked = join(folder, 'link', 'tensorflow');
    expect(findKernels({ ...location, folder: linked, framework: join(linked, 'libtensorflow_framework.so.2') }, environment())).toBe(file);
  });

  it('says what still works without a compiler', async () => {
    rmSync(join(folder, 'bin/g++'));
    const building = buildKernels(location, { environment: environment() });
    await expect(building).rejects.toThrow(MissingToolError);
    await expect(building).rejects.toThrow('the graph engine works without them');
  });

  it("passes the compiler's complaint on and leaves nothing behind", async () => {
    await expect(buildKernels(location, { environment: environment({ FAKE_FAILS: '1' }) })).rejects.toThrow('no such processor');
    expect(readdirSync(join(folder, 'cache', 'kernels'))).toEqual([]);
    expect(findKernels(location, environment())).toBeUndefined();
  });

  it('does nothing for CUDA libraries, whose tensors lie elsewhere', async () => {
    mkdirSync(join(folder, 'wheel/nvidia'));
    expect(await buildKernels(location, { environment: environment() })).toBeUndefined();
    expect(compilations()).toBe(0);
  });

  it('can be switched off', async () => {
    await buildKernels(location, { environment: environment() });
    expect(findKernels(location, environment({ MIMLAB_FUSED_KERNELS: '0' }))).toBeUndefined();
  });
});
