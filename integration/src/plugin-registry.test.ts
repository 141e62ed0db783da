import { existsSync } from 'node:fs';
import { createRegistry } from '@mimlab/core';
import { describe, expect, it } from 'vitest';

const here = new URL('.', import.meta.url).pathname;

describe('the registry', () => {
  it('finds the plugins of this repository by their short names', async () => {
    const registry = createRegistry({ from: [here] });
    const mae = await registry.load('mae');
    const wrapper = await registry.load('pr-mim');
    expect([mae.plugin.kind, wrapper.plugin.kind]).toEqual(['method', 'wrapper']);
    expect([mae.module, wrapper.module].every((module) => existsSync(module))).toBe(true);
  });

  it('lists them with their kind and paper', async () => {
    const plugins = await createRegistry({ from: [here] }).list();
    expect(plugins).toEqual([
      expect.objectContaining({ package: '@mimlab/plugin-mae', name: 'mae', kind: 'method', paper: 'arXiv:2111.06377' }),
      expect.objectContaining({ package: '@mimlab/pr-mim', name: 'pr-mim', kind: 'wrapper', paper: 'arXiv:2411.15746' }),
    ]);
  });

  it('names the nearest of them for a misspelt name', async () => {
    await expect(createRegistry({ from: [here] }).load('prmim')).rejects.toThrow(/did you mean 'pr-mim'\?/);
  });
});
