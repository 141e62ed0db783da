import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindingFile, bindingState, buildBinding } from './binding.js';
import { tryBinding } from './environment-report.js';
import { MissingToolError } from './setup-error.js';
import { findTensorflow, type TensorflowLocation } from './tensorflow-location.js';

/** A compiler that writes its own arguments as its output, so that the rpath is in it as in a real one. */
const FAKE_GXX = `#!/bin/sh
[ "$1" = --version ] && { echo 'g++ 12.2.0'; exit 0; }
[ -n "$FAKE_FAILS" ] && { echo 'In file included from somewhere' >&2; echo 'binding.cc:1: fatal error: node_api.h: No such file' >&2; exit 1; }
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
  folder = mkdtempSync(join(tmpdir(), 'mimlab-binding-'));
  write('bin/g++', FAKE_GXX);
  chmodSync(join(folder, 'bin/g++'), 0o755);
  write('tfjs-node/package.json', '{"version":"4.22.0"}');
  write('tensorflow/include/tensorflow/c/c_api.h', '');
  location = libraryAt('tensorflow');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function libraryAt(path: string): TensorflowLocation {
  const names = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;
  for (const name of names) write(`${path}/${name}`, name);
  const own = join(folder, path);
  return { folder: own, library: join(own, names[0]), framework: join(own, names[1]), source: 'cache', includeFolder: join(own, 'include') };
}

const packageFolder = (): string => join(folder, 'tfjs-node');
const build = (where = location, variables: Record<string, string> = {}) =>
  buildBinding(where, { packageFolder: packageFolder(), environment: { PATH: join(folder, 'bin'), MIMLAB_CACHE: join(folder, 'cache'), FAKE_ROOT: folder, ...variables } });
const compilations = (): number => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').length : 0);

describe('buildBinding', () => {
  it('compiles the two sources against the library, found again by its folder', async () => {
    const binding = await build();
    expect(binding).toBe(join(packageFolder(), 'lib/napi-v8/tfjs_binding.node'));
    const used = readFileSync(binding, 'utf8');
    for (const argument of ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc', '-l:libtensorflow_cc.so.2', `-Wl,-rpath,${location.folder}`, '-DNAPI_VERSION=8', `-I${location.includeFolder}`]) {
      expect(used).toContain(argument);
    }
  });

  it('includes headers of Node-API that exist', async () => {
    const includes = readFileSync(await build(), 'utf8').split(' ').filter((argument) => argument.startsWith('-I'));
    expect(includes.some((argument) => existsSync(join(argument.slice(2), 'node_api.h')))).toBe(true);
  });

  it('leaves a binding that fits where it is', async () => {
    await build();
    await build();
    expect(compilations()).toBe(1);
  });

  it('takes a binding from the cache for another clone', async () => {
    await build();
    rmSync(join(packageFolder(), 'lib'), { recursive: true });
    expect(existsSync(await build())).toBe(true);
    expect(compilations()).toBe(1);
  });

  it('compiles anew for another library, and for another tfjs-node', async () => {
    await build();
    write('other/include/tensorflow/c/c_api.h', '');
    const other = libraryAt('other');
    expect(bindingState(other, packageFolder())).toBe('other-library');
    await build(other);
    expect(bindingState(other, packageFolder())).toBe('fits');
    write('tfjs-node/package.json', '{"version":"4.23.0"}');
    rmSync(join(packageFolder(), 'lib'), { recursive: true });
    await build(other);
    expect(compilations()).toBe(3);
  });

  it('replaces a binding by renaming, so that a process that uses it keeps its file', async () => {
    write('tfjs-node/lib/napi-v8/tfjs_binding.node', 'of another library');
    await build();
    expect(bindingState(location, packageFolder())).toBe('fits');
    expect(readdirSync(join(packageFolder(), 'lib/napi-v8'))).toEqual(['tfjs_binding.node']);
  });

  it('says what is missing without g++, and what still works', async () => {
    rmSync(join(folder, 'bin/g++'));
    await expect(build()).rejects.toThrow(MissingToolError);
    await expect(build()).rejects.toThrow(/g\+\+ is missing.*graph engine needs only the library.*wasm/s);
  });

  it('needs no g++ for a binding of the cache', async () => {
    await build();
    rmSync(join(packageFolder(), 'lib'), { recursive: true });
    rmSync(join(folder, 'bin/g++'));
    expect(existsSync(await build())).toBe(true);
  });

  it('says that headers are missing beside the library', async () => {
    const { library, framework, source } = location;
    await expect(build({ folder: location.folder, library, framework, source })).rejects.toThrow(/no C headers.*graph engine works without/s);
  });

  it('quotes the first error of the compiler, and keeps nothing of the attempt', async () => {
    await expect(build(location, { FAKE_FAILS: 'yes' })).rejects.toThrow(/g\+\+ cannot compile the binding for eager TensorFlow: binding.cc:1: fatal error: node_api.h/);
    expect(bindingState(location, packageFolder())).toBe('absent');
    expect(readdirSync(join(folder, 'cache/bindings'))).toEqual([]);
  });
});

describe('bindingState', () => {
  it('accepts the binding that tfjs-node downloaded with its own library', () => {
    const file = bindingFile(packageFolder());
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'ELF $ORIGIN/../../deps/lib ...');
    expect(bindingState({ ...location, source: 'tfjs-node' }, packageFolder())).toBe('fits');
    expect(bindingState(location, packageFolder())).toBe('other-library');
  });

  it('is absent without the package', () => {
    expect(bindingState(location, join(folder, 'nowhere'))).toBe('absent');
  });
});

const real = findTensorflow();
describe.skipIf(real === undefined || bindingState(real) !== 'fits')('the binding of this machine', () => {
  it('multiplies matrices in a process that has mapped the same library through koffi', () => {
    expect(tryBinding(real!)).toEqual({ works: true });
  });
});
