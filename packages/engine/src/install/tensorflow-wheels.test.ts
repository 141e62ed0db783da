import { EngineError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { thisMachine, wheelsFor } from './tensorflow-wheels.js';

const linux = { platform: 'linux', arch: 'x64', glibc: '2.36' };

describe('wheelsFor', () => {
  it('gives the small wheel without a GPU', () => {
    const set = wheelsFor(linux, false);
    expect(set.kind).toBe('cpu');
    expect(set.wheels.map(({ distribution }) => distribution)).toEqual(['tensorflow-cpu']);
  });

  it('gives TensorFlow and the CUDA libraries it loads with one', () => {
    const names = wheelsFor(linux, true).wheels.map(({ distribution }) => distribution);
    expect(names[0]).toBe('tensorflow');
    for (const part of ['cublas', 'cuda-runtime', 'cudnn', 'cufft', 'cusolver', 'cusparse', 'nccl', 'nvjitlink']) expect(names).toContain(`nvidia-${part}-cu12`);
  });

  it('takes the wheel named tensorflow on arm64, which has no tensorflow-cpu', () => {
    const set = wheelsFor({ ...linux, arch: 'arm64' }, false);
    expect(set.wheels.map(({ distribution }) => distribution)).toEqual(['tensorflow']);
    expect(set.platforms).toEqual(['manylinux_2_27_aarch64']);
  });

  it('pins every wheel by version and sha256', () => {
    for (const set of [wheelsFor(linux, false), wheelsFor(linux, true), wheelsFor({ ...linux, arch: 'arm64' }, false)]) {
      for (const { version, sha256 } of set.wheels) {
        expect(version).toMatch(/^\d+(\.\d+)+$/);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
      expect(new Set(set.wheels.map(({ sha256 }) => sha256)).size).toBe(set.wheels.length);
    }
  });

  it.each([
    ['darwin/arm64', { platform: 'darwin', arch: 'arm64' }, false],
    ['win32/x64', { platform: 'win32', arch: 'x64' }, false],
    ['linux/riscv64', { ...linux, arch: 'riscv64' }, false],
    ['linux/arm64', { ...linux, arch: 'arm64' }, true],
  ])('says that %s has none and what works instead', (place, machine, cuda) => {
    expect(() => wheelsFor(machine, cuda)).toThrow(EngineError);
    expect(() => wheelsFor(machine, cuda)).toThrow(new RegExp(`${place}: .*wasm`, 's'));
  });

  it('names the C library where it is too old or another one', () => {
    expect(() => wheelsFor({ ...linux, glibc: '2.17' }, false)).toThrow(/glibc 2\.27 or newer; this system has 2\.17/);
    expect(() => wheelsFor({ platform: 'linux', arch: 'x64' }, false)).toThrow(/this system has none/);
    expect(wheelsFor({ ...linux, glibc: '3.0' }, false).kind).toBe('cpu');
  });
});

describe('thisMachine', () => {
  it('is the machine that node runs on', () => {
    expect(thisMachine()).toMatchObject({ platform: process.platform, arch: process.arch });
  });
});
