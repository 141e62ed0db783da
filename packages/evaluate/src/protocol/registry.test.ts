import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PluginError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-evaluation.js';
import { findProtocol, PROTOCOLS } from './registry.js';

const root = temporaryFolder();

describe('protocols', () => {
  it('are found by name', async () => {
    expect(PROTOCOLS.map(({ name }) => name)).toEqual(['knn', 'linear', 'partial', 'finetune', 'classify', 'robustness']);
    expect((await findProtocol('linear')).name).toBe('linear');
  });

  it('have a default for every key, say where it comes from, and refuse other keys', () => {
    for (const { configSchema, source, about, name } of PROTOCOLS) {
      expect(configSchema.safeParse({}).success, name).toBe(true);
      expect(configSchema.safeParse({ nonsense: 1 }).success, name).toBe(false);
      expect(source.length, name).toBeGreaterThan(10);
      expect(about.length, name).toBeGreaterThan(10);
    }
  });

  it('follow the published recipes unless told otherwise', () => {
    const defaults = (name: string) => PROTOCOLS.find((protocol) => protocol.name === name)?.configSchema.parse({});
    expect(defaults('linear')).toMatchObject({ epochs: 90, warmupEpochs: 10, baseLr: 0.1, momentum: 0.9, trust: 0.001, weightDecay: 0, minLr: 0, augment: { scale: [0.08, 1], flip: 0.5 } });
    expect(defaults('linear')).not.toHaveProperty('augment.randAugment');
    expect(defaults('finetune')).toMatchObject({
      epochs: 100, warmupEpochs: 5, baseLr: 5e-4, layerDecay: 0.65, dropPath: 0.1, weightDecay: 0.05, smoothing: 0.1, betas: [0.9, 0.999], minLr: 1e-6, pool: 'mean',
      mix: { mixup: 0.8, cutmix: 1, switch: 0.5 }, augment: { kind: 'random-resized-crop', scale: [0.08, 1], randAugment: 'rand-m9-mstd0.5-inc1', erase: 0.25 },
    }); // prettier-ignore
    expect(defaults('partial')).toMatchObject({ blocks: 1, epochs: 50, layerDecay: 0.65 });
  });

  it('refuse a warm-up that never ends', () => {
    const finetune = PROTOCOLS.find(({ name }) => name === 'finetune');
    expect(finetune?.configSchema.safeParse({ epochs: 5 }).error?.issues[0]?.message).toContain('warm-up takes 5 of 5 epochs');
  });

  it('of others are loaded from their module', async () => {
    const path = join(root, 'majority.mjs');
    writeFileSync(path, `export default { kind: 'protocol', name: 'majority', about: '', source: '', configSchema: {}, run: async () => ({}) };`);
    expect((await findProtocol(path)).name).toBe('majority');
  });

  it('are refused with what is known', async () => {
    await expect(findProtocol('liner')).rejects.toThrow(/no protocol 'liner'.*'linear'/s);
    await expect(findProtocol('./nowhere.js')).rejects.toThrow(PluginError);
    const path = join(root, 'other.mjs');
    writeFileSync(path, 'export default 5;');
    await expect(findProtocol(path)).rejects.toThrow(/its default export is no protocol/);
  });

  it('of others that cannot be loaded say why, with their place', async () => {
    const path = join(root, 'broken.mjs');
    writeFileSync(path, `throw new Error('no licence');`);
    await expect(findProtocol(path)).rejects.toThrow(`${path}: cannot be loaded: no licence`);
    await expect(findProtocol(`${root}/`)).rejects.toThrow(/cannot be loaded/);
  });

  it('of others need a default export', async () => {
    const path = join(root, 'named.mjs');
    writeFileSync(path, `export const protocol = { kind: 'protocol' };`);
    await expect(findProtocol(path)).rejects.toThrow(/its default export is no protocol\n.*defineProtocol/);
  });
});
