import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { modelTensors, readTorchCheckpoint } from './torch-archive.js';

/**
 * Written by PyTorch 2.15: `torch.save({model, optimizer, epoch, scaler, args})` as the official MAE code does, with an
 * argparse.Namespace, an OrderedDict, a transposed tensor, a Parameter and several element types.
 */
const file = fileURLToPath(new URL('./fixtures/torch-2.15.pth', import.meta.url));

describe('a checkpoint written by PyTorch itself', () => {
  it('gives the tensors of its model in their stored layout', async () => {
    const tensors = modelTensors(await readTorchCheckpoint(file));
    const values = Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: Array.from(data) }]));
    expect(values).toEqual({
      weight: { shape: [2, 3], data: [0, 1, 2, 3, 4, 5] },
      bias: { shape: [2], data: [0.5, -1.5] },
      half: { shape: [2], data: [1.5, -2] },
      brain: { shape: [2], data: [1.5, -2] },
      steps: { shape: [], data: [7] },
      turned: { shape: [3, 2], data: [0, 3, 1, 4, 2, 5] },
      param: { shape: [1], data: [3] },
    });
  });

  it('keeps plain values beside them and nothing of the classes', async () => {
    const checkpoint = (await readTorchCheckpoint(file)) as Record<string, unknown>;
    expect(checkpoint['epoch']).toBe(3);
    expect(checkpoint['scaler']).toEqual({ scale: 65536 });
    expect(JSON.stringify(checkpoint['args'] ?? null)).not.toContain('0.001');
  });
});
