import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext } from '../run/run-context.js';
import { findTable, loadPaperTables, type PaperRow } from '../table/paper-tables.js';
import { missingData } from '../table/missing-data.js';
import { referenceRow, rowExperiments } from './measure-rows.js';
import { loadScale, ScaleFile, scaleNames, type Scale, type SmallScale } from './scale-file.js';
import { scaledWrappers, scaleEvaluations, scaleRow } from './scale-row.js';

const rowOf = (table: string, id: string): PaperRow => findTable(table).rows.find((row) => row.id === id) as PaperRow;
const noTeacher = (): Promise<string> => Promise.reject(new Error('no teacher was expected'));

describe('wrappers at another scale', () => {
  it('have the kernel of the scale where the paper has its own', () => {
    const wrap = [{ plugin: 'pr-mim', throw: 0.5, aggregator: { kind: 'dwconv', kernel: 7 } }];
    expect(scaledWrappers(wrap, 3, 0.03)).toEqual([{ plugin: 'pr-mim', throw: 0.5, aggregator: { kind: 'dwconv', kernel: 3 } }]);
    expect(scaledWrappers(wrap, undefined, 0.03)).toEqual(wrap);
  });

  it('gather attention after the same share of the training', () => {
    expect(scaledWrappers([{ refreshFrom: 40, refreshEvery: 40 }], 3, 0.03)).toEqual([{ refreshFrom: 1, refreshEvery: 1 }]);
    expect(scaledWrappers([{ refreshFrom: 40, refreshEvery: 20 }], 3, 0.1)).toEqual([{ refreshFrom: 4, refreshEvery: 2 }]);
  });

  it('are otherwise those of the row', () => {
    expect(scaledWrappers([{ plugin: 'pr-mim', sampling: 'random' }], 3, 1)).toEqual([{ plugin: 'pr-mim', sampling: 'random' }]);
  });
});

describe('a scale', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-scale-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('ships for CIFAR-10 and MNIST, MNIST also in a quick version', () => {
    expect(scaleNames()).toEqual(['cifar10', 'mnist', 'mnist-quick']);
    expect(loadScale('mnist', false)).toMatchObject({ kind: 'small', epochs: 4 });
    expect(loadScale('mnist', true)).toMatchObject({ kind: 'small', epochs: 1 });
  });

  it('is refused with the names there are', () => {
    expect(() => loadScale('cifar', false)).toThrow(/there is no scale 'cifar'[^]*cifar10, mnist/);
    expect(() => loadScale('cifar10', true)).toThrow(/there is no quick version of 'cifar10'[^]*Quick versions: mnist\./);
  });

  it('may be a file of the user, with mistakes told by line', () => {
    const file = join(folder, 'own.yaml');
    writeFileSync(file, 'title: own\nepochs: 2\nbases: { MAE: { ViT-B/16: { preset: mae/cifar10-tiny } } }\nevaluate: [{ protocol: knn }]\n');
    expect(loadScale(file, false)).toMatchObject({ kind: 'small', title: 'own', epochs: 2 });
    writeFileSync(file, 'title: own\nepochs: none\nbases: {}\nevaluate: [{ protocol: knn }]\n');
    expect(() => loadScale(file, false)).toThrow(/own\.yaml:2:9: epochs: /);
    writeFileSync(file, 'title: own\nepochs: 1\nbases: { MAE: { ViT-B/16: { preset: mae/nothing } } }\nevaluate: [{ protocol: knn }]\n');
    expect(() => loadScale(file, false)).toThrow(/bases\/MAE\/ViT-B\/16[^]*there is no configuration or preset 'mae\/nothing'/);
  });

  it('is not the folder at hand where its name is empty', () => {
    expect(() => loadScale('', false)).toThrow(`there is no scale ''`);
    expect(() => loadScale('', true)).toThrow(`there is no quick version of ''`);
  });

  it('is the one that ships even where a folder has its name', () => {
    const before = process.cwd();
    mkdirSync(join(folder, 'mnist'));
    process.chdir(folder);
    try {
      expect(loadScale('mnist', false)).toMatchObject({ kind: 'small', epochs: 4 });
      expect(loadScale('./mnist', false)).toMatchObject({ kind: 'published', folder: expect.stringMatching(/\/mnist$/) as string });
    } finally {
      process.chdir(before);
    }
  });

  it('has no quick version as a file or a folder', () => {
    expect(() => loadScale(folder, true)).toThrow(/--quick: there is no quick version of/);
  });

  it('may be a file beside its configuration', () => {
    const file = join(folder, 'beside.yaml');
    writeFileSync(join(folder, 'own-model.yaml'), '');
    writeFileSync(file, 'title: own\nepochs: 2\nbases: { MAE: { ViT-B/16: { preset: own-model.yaml } } }\nevaluate: [{ protocol: knn }]\n');
    expect((loadScale(file, false) as SmallScale).bases.MAE?.['ViT-B/16']?.preset).toBe(join(folder, 'own-model.yaml'));
  });

  it('may be an image folder, for the recipes of the paper themselves', async () => {
    const scale = loadScale(folder, false);
    expect(scale).toMatchObject({ kind: 'published', folder });
    const [experiment] = await scaleRow(rowOf('t3', 't3-12'), { preset: 'mae/vit-l16-in1k-100e-pr50', wrap: [] }, scale, 2, [], noTeacher);
    expect(experiment).toMatchObject({ config: 'mae/vit-l16-in1k-100e-pr50', set: ['data.dataset="imagefolder"', `data.path=${JSON.stringify(folder)}`, 'seed=2'] });
    expect(experiment?.evaluations[0]?.set).toEqual(expect.arrayContaining(['layerDecay=0.75', 'batch=64', 'accumulate=16']));
  });
});

describe('the file of a scale', () => {
  const base = { preset: 'mae/cifar10-tiny' };
  const problems = (more: object): string[] => {
    const parsed = ScaleFile.safeParse({ title: 'own', epochs: 2, bases: { MAE: { 'ViT-B/16': base } }, evaluate: [{ protocol: 'knn' }], ...more });
    return parsed.error?.issues.map(({ path, message }) => `${path.join(' ')}: ${message}`) ?? [];
  };

  it('needs a title, epochs, bases and something to ask, and no more', () => {
    expect(problems({})).toEqual([]);
    expect(ScaleFile.parse({ title: 'own', epochs: 0.5, bases: {}, evaluate: [{ protocol: 'knn' }] })).toMatchObject({ set: {}, rows: {} });
  });

  it.each<[string, object, RegExp]>([
    ['without epochs', { epochs: 0 }, /^epochs: /],
    ['with half a kernel', { kernel: 1.5 }, /^kernel: /],
    ['with a framework that the paper has not', { bases: { DINO: {} } }, /^bases/],
    ['with a teacher that is none', { bases: { TEC: { 'ViT-B/16': { ...base, teacher: 'DINO' } } } }, /^bases TEC ViT-B\/16 teacher: /],
    ['with a row that is none', { rows: { 'row 1': { set: {} } } }, /^rows row 1: /],
    ['with a row that the paper has not', { rows: { 't2-99': { set: {} } } }, /^rows t2-99: the paper has no such row$/],
    ['with two evaluations of one name', { evaluate: [{ protocol: 'knn' }, { protocol: 'linear', name: 'knn' }] }, /^evaluate 1 name: two evaluations are called 'knn'/],
  ])('is refused %s', (_, more, message) => {
    expect(problems(more)).toEqual([expect.stringMatching(message)]);
  });

  it('is refused where a teacher learns from a teacher, itself included', () => {
    const problem = (bases: object): string[] => problems({ bases });
    expect(problem({ TEC: { 'ViT-B/16': { ...base, teacher: 'TEC' } } })).toEqual(['bases TEC ViT-B/16 teacher: TEC learns from a teacher itself; name a framework that learns from none']);
    expect(problem({ TEC: { 'ViT-B/16': { ...base, teacher: 'MFF' } }, MFF: { 'ViT-B/16': { ...base, teacher: 'MAE' } }, MAE: { 'ViT-B/16': base } })).toEqual([expect.stringMatching(/^bases TEC ViT-B\/16 teacher: MFF learns/)]);
  });

  it('is refused with keys that rows and seeds give, which would do nothing', () => {
    const keys = { seed: 1, 'train.epochs': 3, wrap: [], 'train.batch': 8 };
    expect(problems({ set: keys, bases: { MAE: { 'ViT-B/16': { ...base, set: keys } } }, rows: { 't2-01': { set: keys } } }).map((problem) => problem.split(':')[0])).toEqual([
      ...['set', 'bases MAE ViT-B/16 set'].flatMap((place) => ['seed', 'train.epochs', 'wrap'].map((key) => `${place} ${key}`)),
      'rows t2-01 set seed',
    ]);
  });
});

describe('a row at a scale', () => {
  const cifar = loadScale('cifar10', false) as SmallScale;

  it('takes the model of the scale and the wrapper of the row', async () => {
    const experiments = await rowExperiments(rowOf('t2', 't2-09'), { scale: cifar, seeds: 2, set: ['data.path=there'], store: '/store' });
    expect(experiments.map(([one]) => one?.id)).toEqual(['t2-09 seed 0', 't2-09 seed 1']);
    const { config } = await loadRunContext(experiments[1]?.[0]?.config as string, experiments[1]?.[0]?.set);
    expect(config).toMatchObject({ seed: 1, method: { plugin: 'mae', width: 64 }, train: { epochs: 3 }, data: { path: expect.stringMatching(/there$/) }, wrap: [{ throw: 0.5, sampling: 'furthest', reconstruction: 'progressive', aggregator: { kernel: 3 } }] });
  });

  it('trains longer where the paper does', async () => {
    const [[experiment] = []] = await rowExperiments(rowOf('t3', 't3-09'), { scale: cifar, seeds: 1, set: [], store: '/store' });
    expect(experiment?.set).toContain('train.epochs=24');
  });

  it('keeps its kernel in the table about kernels', async () => {
    const [[experiment] = []] = await rowExperiments(rowOf('t11', 't11-05'), { scale: cifar, seeds: 1, set: [], store: '/store' });
    const { config } = await loadRunContext(experiment?.config as string, experiment?.set);
    expect(config.wrap).toMatchObject([{ aggregator: { kernel: 11 } }]);
  });

  it('trains the teacher it learns from first, and is told where it lies', async () => {
    const [[teacher, student] = []] = await rowExperiments(rowOf('t4', 't4-13'), { scale: cifar, seeds: 1, set: [], store: '/store' });
    expect(teacher).toMatchObject({ pretrain: true, evaluations: [] });
    expect(student?.after).toMatch(/^\/store\/runs\/mae-seed0-/);
    expect(student?.set).toContain(`method.teacher.checkpoint=${JSON.stringify(student?.after)}`);
    const full = (await rowExperiments(rowOf('t2', 't2-01'), { scale: cifar, seeds: 1, set: [], store: '/store' }))[0]?.[0];
    expect([...(teacher?.set ?? [])].sort()).toEqual([...(full?.set ?? [])].sort());
  });

  it('is refused where the scale has no model for it', async () => {
    await expect(rowExperiments(rowOf('t5', 't5-01'), { scale: loadScale('mnist', false), seeds: 1, set: [], store: '/store' })).rejects.toThrow(/t5-01[^]*no model for GreenMIM Swin-B[^]*It has MAE \(ViT-B\/16, ViT-L\/16\)/);
  });

  it('has keys of the scale below those of its model, and those below its own', async () => {
    const bases = { MAE: { 'ViT-B/16': { preset: 'mae/cifar10-tiny', set: { 'train.batch': 2, 'method.depth': 2 } } } };
    const own: SmallScale = { ...cifar, set: { 'train.batch': 1, 'method.depth': 1, 'method.width': 32 }, bases, rows: { 't2-01': { set: { 'method.depth': 3, 'train.epochs': 7 } } } };
    const [[experiment] = []] = await rowExperiments(rowOf('t2', 't2-01'), { scale: own, seeds: 1, set: ['method.heads=4'], store: '/store' });
    const { config } = await loadRunContext(experiment?.config as string, experiment?.set);
    expect(config).toMatchObject({ method: { width: 32, depth: 3, heads: 4 }, train: { batch: 2, epochs: 7 } });
  });

  it('trains at least an epoch', async () => {
    const [[experiment] = []] = await rowExperiments(rowOf('t2', 't2-01'), { scale: { ...cifar, epochs: 0.1 }, seeds: 1, set: [], store: '/store' });
    expect(experiment?.set).toContain('train.epochs=1');
  });

  it('has a teacher of each seed, its own keys left out', async () => {
    const rows = { 't4-13': { set: { 'method.decoderDepth': 1 } } };
    const experiments = await rowExperiments(rowOf('t4', 't4-13'), { scale: { ...cifar, rows }, seeds: 2, set: [], store: '/store' });
    expect(experiments.map(([teacher]) => teacher?.id)).toEqual(['teacher of t4-13 seed 0', 'teacher of t4-13 seed 1']);
    expect(experiments.map(([teacher]) => teacher?.set.filter((key) => /^seed|decoderDepth/.test(key)))).toEqual([['seed=0'], ['seed=1']]);
  });

  it('has no teacher where the scale has no model for one', async () => {
    const bases = { TEC: cifar.bases.TEC };
    await expect(rowExperiments(rowOf('t4', 't4-13'), { scale: { ...cifar, bases }, seeds: 1, set: [], store: '/store' })).rejects.toThrow('t4-13: the scale has no model for MAE ViT-B/16');
  });

  it('is asked what the scale asks', () => {
    expect(scaleEvaluations(cifar, rowOf('t2', 't2-01')).map(({ name }) => name)).toEqual(['top1', 'linear']);
    const published: Scale = { kind: 'published', title: '', folder: '/data' };
    expect(scaleEvaluations(published, rowOf('t5', 't5-01'))[0]?.set).toMatchObject({ layerDecay: 0.9, clipNorm: 5 });
  });

  it('costs beside the full method of its framework and architecture', () => {
    expect(referenceRow(rowOf('t3', 't3-12'), findTable('t3'))?.id).toBe('t3-10');
    expect(referenceRow(rowOf('t2', 't2-13'), findTable('t2'))?.id).toBe('t2-01');
    expect(referenceRow(rowOf('t11', 't11-01'), findTable('t11'))).toBeUndefined();
  });

  it('loads at CIFAR-10 scale for every row of every table that a scale can measure', async () => {
    const problems: string[] = [];
    for (const table of loadPaperTables().filter((one) => missingData(one).length === 0)) {
      for (const row of table.rows) {
        const experiments = (await rowExperiments(row, { scale: cifar, seeds: 1, set: [], store: '/store' })).flat();
        for (const { config, set, id } of experiments) await loadRunContext(config, set).catch((error: unknown) => problems.push(`${id}: ${(error as Error).message}`));
      }
    }
    expect(problems).toEqual([]);
  });
});
