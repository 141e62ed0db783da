import { existsSync } from 'node:fs';
import { createProgram } from '@mimlab/cli';
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

  it('names the nearest of them for a misspelt name', async () => {
    await expect(createRegistry({ from: [here] }).load('prmim')).rejects.toThrow(/did you mean 'pr-mim'\?/);
  });
});

describe('mimlab plugins --json', () => {
  it('lists the six methods and pr-mim with version, range of core, hooks and paper', async () => {
    const lines: string[] = [];
    const terminal = { live: false, columns: 80, out: (line: string) => lines.push(line), note: () => undefined, overwrite: () => undefined };
    await createProgram(terminal).parseAsync(['node', 'mimlab', 'plugins', '--json']);
    const found = JSON.parse(lines.join('\n')) as Record<string, unknown>[];
    const hooks = ['sampler', 'encoder', 'decoder', 'target'];
    const method = (name: string, paper: string): unknown => ({ package: `@mimlab/plugin-${name}`, name, kind: 'method', version: '0.1.0', core: '^0.1.0', hooks, paper });
    expect(found.map(({ folder, ...rest }) => [typeof folder, rest])).toEqual(
      [
        method('greenmim', 'arXiv:2205.13515'),
        method('localmim', 'arXiv:2303.05251'),
        method('mae', 'arXiv:2111.06377'),
        method('mff', 'arXiv:2308.00261'),
        { package: '@mimlab/pr-mim', name: 'pr-mim', kind: 'wrapper', version: '0.1.0', core: '^0.1.0', hooks: ['sampler', 'decoder', 'scoring'], paper: 'arXiv:2411.15746' },
        method('simmim', 'arXiv:2111.09886'),
        method('tec', 'arXiv:2210.11016'),
      ].map((plugin) => ['string', plugin]),
    );
  });
});
