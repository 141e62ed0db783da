import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listPresets, loadPaperTables, loadRunContext, type RunContext } from '@mimlab/cli';
import { describe, expect, it } from 'vitest';

const ROWS = loadPaperTables().flatMap(({ rows }) => rows);
const presets = listPresets();
const namesOf = (id: string): string[] => presets.filter(({ rows }) => rows.includes(id)).map(({ name }) => name);

/** Rows whose recipe is one file: the paper prints the same run in several tables, or judges it on several data sets. */
const PRINTED_AGAIN = [
  ['t2-01', 't3-01'],
  ['t2-06', 't3-02'],
  ['t2-09', 't3-03', 't11-03', 't12-02'],
  ['t3-07', 't7-01', 't8-01', 't9-01', 't10-01'],
  ['t3-08', 't7-02', 't8-02', 't9-02', 't10-02'],
  ['t3-09', 't7-03', 't8-03', 't9-03', 't10-03'],
  ['t4-01', 't6-04'],
  ['t4-09', 't7-04', 't8-04'],
  ['t4-10', 't7-05', 't8-05'],
  ['t4-11', 't7-06', 't8-06'],
];
/** Rows of which the paper leaves open whether tokens were thrown: run as the plain method. */
const OPEN = ['t6-01', 't6-04'];

const WIDTHS: Readonly<Record<string, number>> = { 'ViT-B/16': 768, 'ViT-L/16': 1024, 'Swin-B': 128, 'Swin-L': 192 };

describe('rows of tables 2 to 12', () => {
  it('have one preset each, and presets name no other row', () => {
    expect(ROWS.filter(({ id }) => namesOf(id).length !== 1).map(({ id }) => [id, namesOf(id)])).toEqual([]);
    const known = ROWS.map(({ id }) => id);
    expect(presets.flatMap(({ rows }) => rows).filter((id) => !known.includes(id))).toEqual([]);
  });

  it('share a preset where the paper prints a run again, and nowhere else', () => {
    const shared = presets.map(({ rows }) => rows).filter((rows) => rows.length > 1);
    expect(shared).toHaveLength(PRINTED_AGAIN.length);
    expect(shared).toEqual(expect.arrayContaining(PRINTED_AGAIN));
  });

  it.each(ROWS)('$id: $framework $arch, $epochs epochs, throw $throw, $components.sampler', async ({ id, framework, arch, epochs, mask, throw: percent, components: { sampler, progressive, aggregator = 'dwconv', kernel = 7 } }) => {
    const { config, objective } = await loadRunContext(namesOf(id)[0] as string);
    expect(config.method['plugin']).toBe(framework.toLowerCase());
    expect(config.method['width']).toBe(WIDTHS[arch]);
    expect(config.train.epochs).toBe(epochs);
    if (mask !== undefined) expect(config.method['maskRatio']).toBe(mask);
    expect(config.data).toMatchObject({ dataset: 'imagefolder', size: 224 });
    if (percent === 0 || OPEN.includes(id)) {
      expect(config.wrap).toEqual([]);
      return;
    }
    expect(config.wrap).toHaveLength(1);
    expect(config.wrap[0]).toMatchObject({ plugin: 'pr-mim', throw: percent / 100, throwBase: 'all', sampling: sampler, reconstruction: progressive ? 'progressive' : 'partial' });
    if (progressive) expect(config.wrap[0]).toMatchObject({ merge: 'thrown-only', aggregator: { kind: aggregator, ...(aggregator === 'transformer' ? {} : { kernel }) } });
    expect(objective.sampler.counts(objective.grid).thrown).toBeGreaterThan(0);
  });
});

describe('hyperparameters', () => {
  it('of MAE rows are those of table 13', async () => {
    for (const { id, framework } of ROWS) {
      if (framework !== 'MAE') continue;
      const { config } = await loadRunContext(namesOf(id)[0] as string);
      const { train, method } = config;
      expect([id, train.batch * train.accumulate, train.baseLr, train.lr, train.weightDecay, train.warmupEpochs, train.schedule]).toEqual([id, 4096, 1.5e-4, undefined, 0.05, 40, 'mae']);
      expect(train.betas).toEqual([0.9, 0.95]);
      expect([method['maskRatio'], method['normPix']]).toEqual([0.75, true]);
    }
  });

  it('of SimMIM are its absolute rates at 2048 images', async () => {
    const trainOf = async (name: string): Promise<RunContext['config']['train']> => (await loadRunContext(name)).config.train;
    expect(await trainOf('simmim/vit-b16-in1k-100e')).toMatchObject({ lr: 8e-4, minLr: 4e-5, schedule: 'simmim-cosine', clipNorm: 5, betas: [0.9, 0.999] });
    expect(await trainOf('simmim/vit-b16-in1k-pr50')).toMatchObject({ lr: 4e-4, epochs: 800, schedule: 'simmim-step', milestones: [700], clipNorm: 5 });
  });

  it('name their source on every value of a recipe for a row', () => {
    const folder = fileURLToPath(new URL('../../packages/cli/presets/', import.meta.url));
    for (const { name, rows } of presets) {
      if (rows.length === 0) continue;
      const lines = readFileSync(`${folder}${name}.yaml`, 'utf8').split('\n');
      const settings = lines.filter((line) => /^ +(- )?[A-Za-z]+: *[^ #]/.test(line) && !/plugin: |path: |dataset: |checkpoint: |-vit-b16/.test(line));
      expect([name, settings.filter((line) => !line.includes('#'))]).toEqual([name, []]);
    }
  });
});

describe('presets', () => {
  it.each(presets.map(({ name }) => name))('%s loads, and its hooks fit each other', async (name) => {
    const { objective } = await loadRunContext(name);
    expect(Object.keys(objective.params()).length).toBeGreaterThan(0);
  });

  it('say what they are in their first line', () => {
    expect(presets.filter(({ description }) => description.length < 20).map(({ name }) => name)).toEqual([]);
    expect(new Set(presets.map(({ description }) => description)).size).toBe(presets.length);
  });

  it.each(['mae', 'simmim', 'greenmim', 'localmim', 'mff', 'tec'])('of %s have a small model for CIFAR-10, bare and wrapped', async (method) => {
    const [bare, wrapped] = [await loadRunContext(`${method}/cifar10-small`), await loadRunContext(`${method}/cifar10-small-pr50`)];
    expect(bare.config.data.dataset).toBe('cifar10');
    expect(bare.objective.image).toEqual({ height: 32, width: 32, channels: 3 });
    expect(bare.objective.sampler.counts(bare.objective.grid).thrown).toBe(0);
    expect(wrapped.objective.sampler.counts(wrapped.objective.grid).thrown).toBeGreaterThan(0);
  });
});
