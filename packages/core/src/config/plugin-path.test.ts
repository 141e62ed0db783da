import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry } from '../plugin/registry.js';
import { loadRunConfig } from './load-run-config.js';

let folder = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mimlab-path-')));
  mkdirSync(join(folder, 'configs'));
  mkdirSync(join(folder, 'run'));
  // Stands alone: nothing is installed beside it.
  writeFileSync(
    join(folder, 'configs/dots.mjs'),
    `export default { kind: 'method', name: 'dots', version: '1.0.0', core: '^0.1.0', paper: 'none', hooks: () => ({}),
      configSchema: { safeParse: (data) => ({ success: true, data: { depth: 1, ...data } }) } };`,
  );
  writeFileSync(join(folder, 'configs/base.yaml'), 'method: { plugin: ./dots.mjs }\n');
  writeFileSync(join(folder, 'run.yaml'), 'extends: configs/base.yaml\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a plugin named by a path', () => {
  const load = (file: string): ReturnType<typeof loadRunConfig<Record<never, never>>> => loadRunConfig(file, { sections: {}, registry: createRegistry({ from: [folder] }) });

  it('is looked for beside the file that names it, even when another file extends that one', async () => {
    expect((await load(join(folder, 'run.yaml'))).composition.method).toEqual({ module: join(folder, 'configs/dots.mjs'), config: { depth: 1 } });
  });

  it('is stored so that the resolved configuration finds it from any folder', async () => {
    const first = await load(join(folder, 'run.yaml'));
    writeFileSync(join(folder, 'run/config.yaml'), first.format());
    const again = await load(join(folder, 'run/config.yaml'));
    expect(again.config).toEqual(first.config);
    expect(again.composition).toEqual(first.composition);
  });
});
