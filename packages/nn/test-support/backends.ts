import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe } from 'vitest';

// Silences the advice to install a faster backend.
tf.enableProdMode();

/** Declares the same tests on every backend that runs without a native library; wasm lacks many gradient kernels. */
export function onEveryBackend(name: string, body: () => void): void {
  describe.each(['cpu', 'wasm'])(`${name} on %s`, (backend) => {
    beforeAll(async () => {
      await tf.setBackend(backend);
    });
    body();
  });
}
