import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEngine } from './create-engine.js';

const found = vi.hoisted(() => ({ library: undefined as string | undefined }));
vi.mock('./install/index.js', async (original) => ({
  ...(await original<object>()),
  findTensorflow: () => (found.library === undefined ? undefined : { library: found.library, folder: dirname(found.library), framework: found.library }),
}));

describe('createEngine', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-engine-'));
    found.library = undefined;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('runs eagerly under auto where there is no libtensorflow', async () => {
    const engine = await createEngine({ kind: 'auto', precision: 'fp32', eagerBackend: 'cpu' });
    expect(engine.kind).toBe('eager');
    engine.dispose();
  });

  it('says what to do when a graph is asked for and there is no libtensorflow', async () => {
    await expect(createEngine({ kind: 'graph', precision: 'fp32' })).rejects.toThrow('no libtensorflow was found');
  });

  it('names the library that it found but could not load', async () => {
    found.library = join(folder, 'libtensorflow_cc.so.2');
    await expect(createEngine({ kind: 'auto', precision: 'fp32' })).rejects.toMatchObject({ name: 'EngineError', place: found.library });
  });

  it.each(['auto', 'eager'] as const)('refuses to recompute where %s means eager execution, which cannot', async (kind) => {
    await expect(createEngine({ kind, precision: 'fp32', recompute: 'blocks', eagerBackend: 'cpu' })).rejects.toMatchObject({ name: 'EngineError', place: 'engine.recompute' });
  });

  it('never looks for libtensorflow when eager is asked for', async () => {
    found.library = join(folder, 'missing');
    const engine = await createEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
    expect(engine.kind).toBe('eager');
    engine.dispose();
  });
});
