import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindingState } from './binding.js';
import { describeEnvironment, inspectEnvironment, type EnvironmentReport } from './environment-report.js';
import { findTensorflow } from './tensorflow-location.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine without tools and without TensorFlow. */
const bare = (variables: Record<string, string> = {}) => inspectEnvironment({ PATH: folder, MIMLAB_CACHE: join(folder, 'cache'), ...variables });

describe('inspectEnvironment', () => {
  it('finds that a bare machine still runs eager steps on wasm', () => {
    const report = bare();
    expect(report.runs).toEqual({ graph: false, eagerTensorflow: false, wasm: true });
    expect(report).toMatchObject({ node: process.version, cacheFolder: join(folder, 'cache'), tools: {} });
  });

  it('names each missing thing once, with what works without it and how to get it', () => {
    const { missing } = bare();
    const subjects = ['python3 with pip', 'g++', 'libtensorflow'];
    expect(missing.map((line) => line.split(':')[0])).toEqual(subjects);
    for (const line of missing) expect(line).toMatch(/(works without|wasm).*Get it with '/);
  });

  it('reports an explicit folder without the library as wrong', () => {
    const { missing, tensorflow } = bare({ MIMLAB_TENSORFLOW: join(folder, 'nowhere') });
    expect(tensorflow).toBeUndefined();
    expect(missing[0]).toMatch(/MIMLAB_TENSORFLOW=.*nowhere: does not exist/);
  });

  it('reports a library that cannot be loaded, instead of dying of it', () => {
    mkdirSync(join(folder, 'tf'));
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) writeFileSync(join(folder, 'tf', name), 'not a library');
    const report = bare({ MIMLAB_TENSORFLOW: join(folder, 'tf') });
    expect(report.runs).toEqual({ graph: false, eagerTensorflow: false, wasm: true });
    expect(report.missing.at(-1)).toMatch(/libtensorflow at .*tf cannot be loaded \(.+\); steps run eagerly on wasm/);
  });

  const real = findTensorflow();
  it.skipIf(real === undefined)('loads the TensorFlow of this machine', () => {
    const report = inspectEnvironment();
    expect(report.runs.graph).toBe(true);
    expect(report.tensorflowVersion).toMatch(/^2\.\d+\.\d+/);
    expect(report.runs.eagerTensorflow).toBe(bindingState(real!) === 'fits');
  });
});

describe('describeEnvironment', () => {
  const report: EnvironmentReport = {
    node: 'v20.20.0',
    platform: 'linux/x64',
    tools: { python3: 'Python 3.11.7', pip: 'pip 23.2.1' },
    gpu: false,
    cacheFolder: '/cache',
    tensorflow: { folder: '/tf', library: '/tf/libtensorflow_cc.so.2', framework: '/tf/libtensorflow_framework.so.2', source: 'cache' },
    tensorflowVersion: '2.21.0',
    runs: { graph: true, eagerTensorflow: false, wasm: true },
    missing: ['g++: only needed for this.'],
  };

  it('gives one line for each fact and for each missing thing', () => {
    expect(describeEnvironment(report)).toEqual([
      'node              v20.20.0 on linux/x64',
      'python3, pip      Python 3.11.7, pip 23.2.1',
      'g++               not found',
      'GPU               none seen',
      'cache             /cache',
      'TensorFlow        2.21.0, /tf (from cache)',
      'graph engine      works',
      'eager TensorFlow  does not work',
      'eager wasm        works',
      'missing: g++: only needed for this.',
    ]);
  });
});
