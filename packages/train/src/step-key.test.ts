import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { TrainConfig, type RunConfig } from './config.js';
import { stepKey } from './step-key.js';

const statistics = { mean: [0.5], std: [0.25] };
const config = (more: Record<string, unknown> = {}): RunConfig => ({ seed: 1, train: TrainConfig.parse({ epochs: 50 }), method: { plugin: 'mine', depth: 2 }, wrap: [], data: { size: 32, workers: 1, path: '/data' }, engine: { kind: 'graph' }, ...more });

function pluginIn(folder: string, text = 'export default 1;'): string {
  mkdirSync(folder, { recursive: true });
  const module = join(folder, 'index.js');
  writeFileSync(module, text);
  return module;
}

describe('the key of a run’s step', () => {
  it('is the same for the same configuration and code', () =>
    inTemporaryFolder(async (folder) => {
      const module = pluginIn(folder);
      expect(stepKey(config(), statistics, [module])).toMatch(/^[0-9a-f]{64}$/);
      expect(stepKey(config(), statistics, [module])).toBe(stepKey(config(), statistics, [module]));
    }));

  it.each([
    ['the method', { method: { plugin: 'mine', depth: 3 } }],
    ['a wrapper', { wrap: [{ plugin: 'pr-mim' }] }],
    ['a hook of another plugin', { hooks: { target: { plugin: 'other' } } }],
    ['the size of the images', { data: { size: 64 } }],
    ['a section that it does not know', { distill: { weight: 2 } }],
  ])('changes with %s', (_, more) =>
    inTemporaryFolder(async (folder) => {
      const module = pluginIn(folder);
      expect(stepKey(config(more), statistics, [module])).not.toBe(stepKey(config(), statistics, [module]));
    }),
  );

  it.each([
    ['seed', { seed: 2 }],
    ['output', { output: 'runs/b' }],
    ['loading', { data: { size: 32, workers: 4, path: '/elsewhere', prefetch: 9, cacheMiB: 0 } }],
    ['the recipe, which is in the step itself', { train: TrainConfig.parse({ epochs: 90, weightDecay: 0 }) }],
  ])('does not change with %s', (_, more) =>
    inTemporaryFolder(async (folder) => {
      const module = pluginIn(folder);
      expect(stepKey(config(more), statistics, [module])).toBe(stepKey(config(), statistics, [module]));
    }),
  );

  it('changes with the statistics, the code of a plugin and a file that the configuration names', () =>
    inTemporaryFolder(async (folder) => {
      const module = pluginIn(join(folder, 'plugin'));
      const weights = join(folder, 'teacher.safetensors');
      writeFileSync(weights, 'one');
      const named = config({ hooks: { target: { weights } } });
      const keys = [stepKey(named, statistics, [module]), stepKey(named, { ...statistics, std: [0.5] }, [module])];
      writeFileSync(weights, 'other');
      keys.push(stepKey(named, statistics, [module]));
      pluginIn(join(folder, 'plugin'), 'export default 2;');
      keys.push(stepKey(named, statistics, [module]));
      expect(new Set(keys).size).toBe(4);
    }));

  it('is not given for code that cannot be told for sure', () =>
    inTemporaryFolder(async (folder) => {
      expect(stepKey(config(), statistics, [pluginIn(folder, `import '../outside.js';`)])).toBeUndefined();
    }));
});
