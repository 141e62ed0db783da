import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgram } from '@mimlab/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packageFolder = (name: string): string => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

let folder = '';
let written = '';
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'mimlab-plugin-')));
  written = join(folder, 'grey');
  const terminal = { live: false, columns: 80, out: () => undefined, note: () => undefined, overwrite: () => undefined };
  await createProgram(terminal).parseAsync(['node', 'mimlab', 'new', 'plugin', 'grey', '--output', written]);
  // What `npm install` would do: this workspace's packages and tools.
  await symlink(join(root, 'node_modules'), join(written, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function node(args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn(process.execPath, args, { cwd: written, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, output });
    });
  });
}

describe('a plugin as mimlab new writes it', () => {
  it('passes the conformance suite without a change', { timeout: 300_000 }, async () => {
    // Its own settings but for this workspace's: packages are taken from their sources, so that no build is needed.
    const config = join(written, 'vitest.sources.config.ts');
    const conditions = `['@mimlab/source']`;
    await writeFile(
      config,
      `import { mergeConfig } from 'vitest/config';
import own from './vitest.config.js';
export default mergeConfig(own, { resolve: { conditions: ${conditions} }, ssr: { resolve: { conditions: ${conditions}, externalConditions: ${conditions} } } });
`,
    );
    const { status, output } = await node([join(packageFolder('vitest'), 'vitest.mjs'), 'run', '--config', config, '--reporter=verbose']);
    expect(output).toMatch(/plugin grey on 16 x 16 x 3 keeps the contract/);
    expect(output).toMatch(/plugin grey on 8 x 16 x 1 keeps the contract/);
    expect(output).toMatch(/Tests +\d+ passed/);
    expect(status, output).toBe(0);
  });

  it('is sound TypeScript', { timeout: 300_000 }, async () => {
    const { status, output } = await node([join(packageFolder('typescript'), 'bin', 'tsc'), '-p', 'tsconfig.json', '--customConditions', '@mimlab/source']);
    expect(output).toBe('');
    expect(status).toBe(0);
  });
});
