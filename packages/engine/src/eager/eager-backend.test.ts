import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bindingState } from '../install/binding.js';
import { findTensorflow } from '../install/tensorflow-location.js';
import { loadBackend, onBackend } from './eager-backend.js';

const real = findTensorflow();
const hasTensorflow = real !== undefined && bindingState(real) === 'fits';

afterEach(() => vi.unstubAllEnvs());

const current = (): string => tf.engine().backendName;

describe('loadBackend', () => {
  it('loads wasm and the plain backend without selecting them for others', async () => {
    await tf.setBackend('cpu');
    expect((await loadBackend('wasm')).description).toMatch(/wasm, 1 thread/);
    expect(current()).toBe('cpu');
    expect((await loadBackend('cpu')).name).toBe('cpu');
  });

  it('takes wasm where there is no TensorFlow, and says so in one line', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'mimlab-backend-'));
    vi.stubEnv('MIMLAB_CACHE', empty);
    vi.stubEnv('MIMLAB_TENSORFLOW', '');
    const { name, description } = await loadBackend('auto');
    expect(name).toBe('wasm');
    expect(description).toMatch(/^tfjs .* on wasm, 1 thread; TensorFlow is not used: engine: no libtensorflow was found\. Run 'npm run setup'\.$/);
    await expect(loadBackend('tensorflow')).rejects.toThrow(/no libtensorflow was found/);
    rmSync(empty, { recursive: true });
  });

  it('passes on that an explicit folder is wrong, rather than doing without', async () => {
    vi.stubEnv('MIMLAB_TENSORFLOW', join(tmpdir(), 'no-such-folder'));
    await expect(loadBackend('auto')).rejects.toThrow(/MIMLAB_TENSORFLOW=/);
  });

  it.skipIf(!hasTensorflow)('takes TensorFlow where it is there, and names its version and threads', async () => {
    const { name, description } = await loadBackend('auto', 2);
    expect(name).toBe('tensorflow');
    expect(description).toMatch(/^TensorFlow \d+\.\d+\.\d+ through tfjs-node, 2 threads$/);
  });

  it.skipIf(!hasTensorflow)('refuses another number of threads than the library was loaded with', async () => {
    await loadBackend('tensorflow', 2);
    await expect(loadBackend('tensorflow', 3)).rejects.toThrow(/engine.threads: this process runs eager TensorFlow with 2 threads already, 3 were asked for/);
  });
});

describe('onBackend', () => {
  it('computes on the backend and gives the other one back, after errors too', async () => {
    await loadBackend('wasm');
    await tf.setBackend('cpu');
    expect(onBackend('wasm', current)).toBe('wasm');
    expect(current()).toBe('cpu');
    expect(() =>
      onBackend('wasm', () => {
        throw new Error('in between');
      }),
    ).toThrow('in between');
    expect(current()).toBe('cpu');
  });

  it('moves tensors that were made on another backend', async () => {
    await loadBackend('wasm');
    await tf.setBackend('cpu');
    const ones = tf.ones([4]);
    expect(onBackend('wasm', () => tf.sum(ones).dataSync()[0])).toBe(4);
    ones.dispose();
  });
});
