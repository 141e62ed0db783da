import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EngineError } from '@mimlab/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.js';
import { gpuSeen } from './gpu.js';
import { cachedRoot, findTensorflow } from './tensorflow-location.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-location-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const touch = (...files: string[]): void => {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
};
/** The two libraries in a folder. */
const libraries = (path: string, name = 'libtensorflow_cc.so.2'): void => touch(`${path}/${name}`, `${path}/libtensorflow_framework.so.2`);
const find = (environment: Record<string, string> = {}, cuda = false) =>
  findTensorflow({ environment: { MIMLAB_CACHE: join(folder, 'cache'), ...environment }, cuda, tfjsNodeFolder: join(folder, 'tfjs-node') });
const cached = (kind: 'cpu' | 'cuda'): string => join(cachedRoot(kind, 'cache'), 'tensorflow');

describe('cacheFolder', () => {
  it('is MIMLAB_CACHE, else a folder of XDG_CACHE_HOME, else one of the home folder', () => {
    expect(cacheFolder({ MIMLAB_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/mimlab');
    expect(cacheFolder({})).toBe(join(homedir(), '.cache', 'mimlab'));
  });

  it('takes an empty variable for an unset one', () => {
    expect(cacheFolder({ MIMLAB_CACHE: '', XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache', 'mimlab'));
  });
});

describe('gpuSeen', () => {
  it('believes the device file of the driver', () => {
    touch('nvidia0');
    expect(gpuSeen(join(folder, 'nvidia0'))).toBe(true);
  });
});

describe('findTensorflow', () => {
  it('finds nothing where nothing is', () => {
    expect(find()).toBeUndefined();
  });

  it('takes the explicit folder before cache and tfjs-node', () => {
    libraries('own');
    libraries(cached('cpu'));
    libraries('tfjs-node/deps/lib', 'libtensorflow.so.2');
    expect(find({ MIMLAB_TENSORFLOW: join(folder, 'own') })).toEqual({
      folder: join(folder, 'own'),
      library: join(folder, 'own', 'libtensorflow_cc.so.2'),
      framework: join(folder, 'own', 'libtensorflow_framework.so.2'),
      source: 'MIMLAB_TENSORFLOW',
    });
  });

  it.each(['tensorflow', 'lib'])('takes the root of a folder %s as the explicit folder', (inner) => {
    libraries(`own/${inner}`);
    expect(find({ MIMLAB_TENSORFLOW: join(folder, 'own') })?.folder).toBe(join(folder, 'own', inner));
  });

  it('refuses an explicit folder without the library, though the cache has one', () => {
    libraries(cached('cpu'));
    touch('own/readme');
    expect(() => find({ MIMLAB_TENSORFLOW: join(folder, 'own') })).toThrow(EngineError);
    expect(() => find({ MIMLAB_TENSORFLOW: join(folder, 'own') })).toThrow(/MIMLAB_TENSORFLOW=.*own: holds no libtensorflow_cc.so.2/);
  });

  it('refuses an explicit folder that does not exist', () => {
    expect(() => find({ MIMLAB_TENSORFLOW: join(folder, 'gone') })).toThrow(/does not exist/);
  });

  it('refuses an explicit folder that lacks the framework library', () => {
    touch('own/libtensorflow_cc.so.2');
    expect(() => find({ MIMLAB_TENSORFLOW: join(folder, 'own') })).toThrow(EngineError);
  });

  it('takes an empty variable for an unset one', () => {
    expect(find({ MIMLAB_TENSORFLOW: '' })).toBeUndefined();
  });

  it('takes the cache before what tfjs-node downloaded', () => {
    libraries('tfjs-node/deps/lib', 'libtensorflow.so.2');
    libraries(cached('cpu'));
    expect(find()).toMatchObject({ source: 'cache', version: '2.21.0', folder: join(folder, cached('cpu')) });
  });

  it('prefers the CUDA libraries of the cache where a GPU is seen, and only there', () => {
    libraries(cached('cpu'));
    libraries(cached('cuda'));
    expect(find({}, true)?.folder).toBe(join(folder, cached('cuda')));
    expect(find({}, false)?.folder).toBe(join(folder, cached('cpu')));
  });

  it('uses the CUDA libraries without a GPU if there are no others', () => {
    libraries(cached('cuda'));
    expect(find({}, false)?.folder).toBe(join(folder, cached('cuda')));
  });

  it('finds what tfjs-node downloaded, with its version and headers', () => {
    libraries('tfjs-node/deps/lib', 'libtensorflow.so.2');
    touch('tfjs-node/deps/lib/libtensorflow.so.2.9.1', 'tfjs-node/deps/include/tensorflow/c/c_api.h');
    expect(find()).toMatchObject({ source: 'tfjs-node', version: '2.9.1', includeFolder: join(folder, 'tfjs-node/deps/include') });
  });

  it('reads the version of an unpacked wheel from the folder that pip lays beside it', () => {
    libraries('site/tensorflow');
    touch('site/tensorflow_cpu-2.20.0.dist-info/METADATA', 'site/tensorflow/include/tensorflow/c/c_api.h');
    expect(find({ MIMLAB_TENSORFLOW: join(folder, 'site/tensorflow') })).toMatchObject({
      version: '2.20.0',
      includeFolder: join(folder, 'site/tensorflow/include'),
    });
  });
});
