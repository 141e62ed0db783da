import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installTensorflow, type InstallOptions } from './install-tensorflow.js';
import { MissingToolError } from './setup-error.js';
import { cachedRoot } from './tensorflow-location.js';
import type { PinnedWheel, WheelSet } from './tensorflow-wheels.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-install-'));
  for (const inner of ['bin', 'index', 'cache']) mkdirSync(join(folder, inner));
  writeFileSync(join(folder, 'bin', 'python3'), FAKE_PYTHON);
  chmodSync(join(folder, 'bin', 'python3'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A python3 whose pip copies wheels from a folder, notes each call and fails as it is told. PATH holds nothing else, so
 * it names its tools by path.
 */
const FAKE_PYTHON = `#!/bin/sh
case "$*" in
  --version) echo 'Python 3.9.2'; exit 0;;
  '-m pip --version') [ "$FAKE_PIP" = absent ] && exit 1; echo 'pip 20.3.4 from somewhere'; exit 0;;
esac
echo "$*" >> "$FAKE_ROOT/calls"
while [ $# -gt 0 ]; do
  [ "$1" = --dest ] && dest=$2
  [ "$1" = --requirement ] && requirement=$2
  shift
done
/bin/cat "$requirement" >> "$FAKE_ROOT/requirements"
case "$FAKE_PIP" in
  full) echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2; exit 1;;
  unreachable) echo "ERROR: No matching distribution found for tensorflow-cpu==2.21.0" >&2; exit 1;;
  hash) echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE." >&2; exit 1;;
  strange) echo "WARNING: odd" >&2; echo "ERROR: pip fell over" >&2; exit 2;;
  broken-once) if [ ! -e "$FAKE_ROOT/broken" ]; then : > "$FAKE_ROOT/broken"; echo "urllib3.exceptions.IncompleteRead" >&2; exit 1; fi;;
  broken) echo "ReadTimeoutError: Read timed out." >&2; exit 1;;
  refuse-second) if [ -e "$FAKE_ROOT/first" ]; then echo "Network is unreachable" >&2; exit 1; fi; : > "$FAKE_ROOT/first";;
esac
name=$(/bin/sed -e 's/==.*//' -e 's/-/_/g' "$requirement")
/bin/cp "$FAKE_ROOT/index/$name"-*.whl "$dest"
`;

/** A zip file of stored entries: what a wheel is. */
function zip(entries: Readonly<Record<string, { readonly text: string; readonly mode?: number }>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, { text, mode = 0o644 }] of Object.entries(entries)) {
    const [path, data] = [Buffer.from(name), Buffer.from(text)];
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(crc32(data), 10);
    shared.writeUInt32LE(data.length, 14);
    shared.writeUInt32LE(data.length, 18);
    shared.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, path, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    // Version made by: 3 = Unix, which is what makes the mode count.
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), shared, tail, path]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

const TENSORFLOW = {
  'tensorflow/libtensorflow_cc.so.2': { text: 'the library' },
  'tensorflow/libtensorflow_framework.so.2': { text: 'the framework' },
  'tensorflow/python/keras.py': { text: 'not needed' },
  'tensorflow/include/tensorflow/c/c_api.h': { text: 'the C API' },
  'tensorflow/include/Eigen/Core': { text: 'not needed' },
};

/** Puts a wheel on the fake index. */
function publish(distribution: string, version: string, entries: Parameters<typeof zip>[0]): PinnedWheel {
  const bytes = zip(entries);
  writeFileSync(join(folder, 'index', `${distribution.replaceAll('-', '_')}-${version}-py3-none-any.whl`), bytes);
  return { distribution, version, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const setOf = (...wheels: PinnedWheel[]): WheelSet => ({ kind: 'cpu', wheels, platforms: ['manylinux_2_27_x86_64'], downloadBytes: 1000, unpackedBytes: 1000 });
const tensorflowOnly = (): WheelSet => setOf(publish('tensorflow-cpu', '2.21.0', TENSORFLOW));

const install = (wheels: WheelSet, pip = 'works', options: Partial<InstallOptions> = {}) => {
  const environment = { PATH: join(folder, 'bin'), MIMLAB_CACHE: join(folder, 'cache'), FAKE_ROOT: folder, FAKE_PIP: pip };
  return installTensorflow({ cuda: false, wheels, environment, tfjsNodeFolder: join(folder, 'none'), ...options });
};
const noted = (file: 'calls' | 'requirements'): string[] => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim().split('\n') : []);
const root = (kind: 'cpu' | 'cuda' = 'cpu'): string => cachedRoot(kind, join(folder, 'cache'));
/** Everything in the cache but what is meant to be there. */
const leftovers = (): string[] => [...readdirSync(join(folder, 'cache', 'downloads')), ...readdirSync(join(folder, 'cache', 'tensorflow')).filter((name) => name.startsWith('.'))];

describe('installTensorflow', () => {
  it('unpacks libraries and C headers into the cache, and nothing else', async () => {
    const location = await install(tensorflowOnly());
    expect(location).toMatchObject({ source: 'cache', folder: join(root(), 'tensorflow'), includeFolder: join(root(), 'tensorflow', 'include') });
    expect(readFileSync(location.library, 'utf8')).toBe('the library');
    expect(readdirSync(location.folder).sort()).toEqual(['include', 'libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']);
    expect(readdirSync(join(location.folder, 'include'))).toEqual(['tensorflow']);
  });

  it('leaves neither wheels nor temporary folders behind', async () => {
    await install(tensorflowOnly());
    expect(leftovers()).toEqual([]);
  });

  it('asks pip for the exact file by hash, for any Python, without dependencies or build scripts', async () => {
    const set = tensorflowOnly();
    await install(set);
    expect(noted('requirements')).toEqual([`tensorflow-cpu==2.21.0 --hash=sha256:${set.wheels[0]!.sha256}`]);
    for (const flag of ['--require-hashes', '--no-deps', '--only-binary=:all:', '--python-version 3.11', '--abi cp311', '--platform manylinux_2_27_x86_64']) {
      expect(noted('calls')[0]).toContain(flag);
    }
  });

  it('downloads nothing the second time', async () => {
    const set = tensorflowOnly();
    const first = await install(set);
    expect(await install(set)).toEqual(first);
    expect(noted('calls')).toHaveLength(1);
  });

  it('downloads nothing where an explicit library is named', async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) writeFileSync(join(own, name), '');
    const environment = { PATH: '', MIMLAB_CACHE: join(folder, 'cache'), MIMLAB_TENSORFLOW: own };
    expect(await install(tensorflowOnly(), 'works', { environment })).toMatchObject({ source: 'MIMLAB_TENSORFLOW', folder: own });
  });

  it('lays the CUDA libraries beside TensorFlow, with execute bits, without headers and static libraries', async () => {
    const nvcc = publish('nvidia-cuda-nvcc-cu12', '12.9.86', {
      'nvidia/cuda_nvcc/bin/ptxas': { text: 'assembler', mode: 0o755 },
      'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc': { text: 'bitcode' },
      'nvidia/cuda_nvcc/include/crt/host.h': { text: 'not needed' },
    });
    const runtime = publish('nvidia-cuda-runtime-cu12', '12.9.79', {
      'nvidia/cuda_runtime/lib/libcudart.so.12': { text: 'runtime' },
      'nvidia/cuda_runtime/lib/libcudart_static.a': { text: 'not needed' },
    });
    const set: WheelSet = { ...setOf(publish('tensorflow', '2.21.0', TENSORFLOW), nvcc, runtime), kind: 'cuda' };
    await install(set, 'works', { cuda: true });
    const nvidia = join(root('cuda'), 'nvidia');
    expect(readdirSync(join(nvidia, 'cuda_nvcc')).sort()).toEqual(['bin', 'nvvm']);
    expect(statSync(join(nvidia, 'cuda_nvcc/bin/ptxas')).mode & 0o111).not.toBe(0);
    expect(readdirSync(join(nvidia, 'cuda_runtime/lib'))).toEqual(['libcudart.so.12']);
    expect(existsSync(join(root('cuda'), 'tensorflow/libtensorflow_cc.so.2'))).toBe(true);
  });

  it('adds the CUDA libraries where only the others are cached', async () => {
    await install(tensorflowOnly());
    const set: WheelSet = { ...setOf(publish('tensorflow', '2.21.0', TENSORFLOW)), kind: 'cuda' };
    expect((await install(set, 'works', { cuda: true })).folder).toBe(join(root('cuda'), 'tensorflow'));
  });

  it('may be read by other users of the cache', async () => {
    await install(tensorflowOnly());
    expect(statSync(root()).mode & 0o055).toBe(0o055);
  });

  it('goes on with the wheels that are missing after a broken set-up', async () => {
    const set = setOf(publish('tensorflow-cpu', '2.21.0', TENSORFLOW), publish('nvidia-nccl-cu12', '2.32.3', { 'nvidia/nccl/lib/libnccl.so.2': { text: 'nccl' } }));
    await expect(install(set, 'refuse-second')).rejects.toThrow(/nvidia-nccl-cu12 2.32.3/);
    expect(existsSync(root())).toBe(false);
    await install(set);
    expect(noted('requirements').map((line) => line.split('==')[0])).toEqual(['tensorflow-cpu', 'nvidia-nccl-cu12', 'nvidia-nccl-cu12']);
  });

  it('downloads again what lies there damaged', async () => {
    const set = tensorflowOnly();
    mkdirSync(join(folder, 'cache', 'downloads'));
    writeFileSync(join(folder, 'cache', 'downloads', 'tensorflow_cpu-2.21.0-py3-none-any.whl'), 'half a fi');
    await install(set);
    expect(noted('calls')).toHaveLength(1);
  });

  it('tries again when the connection breaks', async () => {
    const lines: string[] = [];
    await install(tensorflowOnly(), 'broken-once', { log: (line) => lines.push(line) });
    expect(lines.some((line) => line.includes('trying again'))).toBe(true);
    expect(noted('calls')).toHaveLength(2);
  });

  it('gives up on a connection that breaks every time', async () => {
    await expect(install(tensorflowOnly(), 'broken')).rejects.toThrow(/the download broke off.*what is complete is kept/s);
    expect(noted('calls')).toHaveLength(3);
  });

  it.each([
    ['full', /no space left on the disk.*MIMLAB_CACHE/s],
    ['unreachable', /package index cannot be reached or does not have it.*proxy/s],
    ['hash', /sha256 differs/],
    ['strange', /pip download failed: pip fell over/],
  ])('reports pip failing (%s) in one sentence, and installs nothing', async (pip, message) => {
    await expect(install(tensorflowOnly(), pip)).rejects.toThrow(message);
    expect(existsSync(root())).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('throws away a file of other content, even if pip let it pass', async () => {
    const [wheel] = tensorflowOnly().wheels;
    await expect(install(setOf({ ...wheel!, sha256: '0'.repeat(64) }))).rejects.toThrow(/sha256 differs/);
    expect(existsSync(root())).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('says which of python3 and pip is missing, and what works without', async () => {
    const set = tensorflowOnly();
    await expect(install(set, 'absent')).rejects.toThrow(MissingToolError);
    await expect(install(set, 'absent')).rejects.toThrow(/^set-up: pip is missing: TensorFlow cannot be downloaded; steps still run eagerly on the wasm backend/);
    rmSync(join(folder, 'bin', 'python3'));
    await expect(install(set)).rejects.toThrow(/python3 and pip are missing/);
  });

  it('asks for space before it downloads', async () => {
    await expect(install({ ...tensorflowOnly(), unpackedBytes: 1e18 })).rejects.toThrow(/needs 1000000000\.0 GB during set-up, .* GB are free/);
    expect(noted('calls')).toHaveLength(0);
  });

  it('says that the cache cannot be made where a file is in its way', async () => {
    writeFileSync(join(folder, 'file'), '');
    const environment = { PATH: join(folder, 'bin'), MIMLAB_CACHE: join(folder, 'file', 'cache'), FAKE_ROOT: folder };
    await expect(install(tensorflowOnly(), 'works', { environment })).rejects.toThrow(/cache folder cannot be written \(ENOTDIR\).*MIMLAB_CACHE/s);
  });

  it('replaces a damaged folder', async () => {
    mkdirSync(join(root(), 'tensorflow'), { recursive: true });
    writeFileSync(join(root(), 'tensorflow', 'libtensorflow_framework.so.2'), 'alone');
    const location = await install(tensorflowOnly());
    expect(readFileSync(location.framework, 'utf8')).toBe('the framework');
  });

  it('reports a wheel that holds no library', async () => {
    await expect(install(setOf(publish('tensorflow-cpu', '2.21.0', { 'tensorflow/readme': { text: '' } })))).rejects.toThrow(/holds no libtensorflow/);
  });

  it('completes a folder that lacks only the second library', async () => {
    const location = await install(tensorflowOnly());
    rmSync(location.framework);
    await install(tensorflowOnly());
    expect(readFileSync(location.framework, 'utf8')).toBe('the framework');
    expect(leftovers()).toEqual([]);
  });

  const manyAtOnce = (): Promise<number[]> => {
    const set = tensorflowOnly();
    return Promise.all(Array.from({ length: 8 }, async () => statSync((await install(set)).library).ino));
  };

  it('serves several set-ups at once: what the first one put there stays for all', async () => {
    expect(new Set(await manyAtOnce()).size).toBe(1);
    expect(readFileSync(join(root(), 'tensorflow', 'libtensorflow_cc.so.2'), 'utf8')).toBe('the library');
    expect(leftovers()).toEqual([]);
  });

  it('serves several set-ups at once that all find a damaged folder', async () => {
    mkdirSync(join(root(), 'tensorflow'), { recursive: true });
    writeFileSync(join(root(), 'tensorflow', 'libtensorflow_framework.so.2'), 'alone');
    await manyAtOnce();
    expect(readFileSync(join(root(), 'tensorflow', 'libtensorflow_framework.so.2'), 'utf8')).toBe('the framework');
    expect(leftovers()).toEqual([]);
  });

  it('removes what killed set-ups left a day ago, but not what others are making now', async () => {
    const [old, fresh] = ['.unpacking-old', '.unpacking-now'].map((name) => join(folder, 'cache', 'tensorflow', name));
    for (const path of [old!, fresh!]) mkdirSync(path, { recursive: true });
    const dayBefore = Date.now() / 1000 - 25 * 3600;
    utimesSync(old!, dayBefore, dayBefore);
    await install(tensorflowOnly());
    expect(existsSync(old!)).toBe(false);
    expect(existsSync(fresh!)).toBe(true);
  });
});
