import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chartSvg } from '../curve/loss-chart.js';
import { deviationFigure } from '../figures/gradient-deviation.js';
import { loadRunContext } from '../run/run-context.js';
import { formsOfGrid, formsOfRun, fullObjective, isWrapped, parseMethods, parseRatios } from './compared-methods.js';
import { deviationJson, methodName, readDeviationFile, type DeviationFile, type DeviationRow } from './deviation-file.js';
import { deviationTables, inOrder } from './deviation-table.js';

const flat = (mean: number, deviation = 0.01) => ({ mean, deviation });
const quantities = (cosine: number, relativeError: number) => ({ cosine: flat(cosine), relativeError: flat(relativeError), scaleFreeError: flat(0.5), bias: flat(0.4), spread: flat(0.3) });
const row = (more: Partial<DeviationRow> = {}): DeviationRow => ({
  method: 'partial',
  throw: 0.5,
  sampler: 'random',
  weights: 'own',
  run: 'partial50',
  counts: { visible: 16, retained: 16, thrown: 32 },
  groups: { encoder: quantities(0.6, 1.2), embedding: quantities(0.7, 1.1), decoder: quantities(0.8, 0.9) },
  floor: { encoder: quantities(0.95, 0.3) },
  ...more,
});
const PR_MIM = { method: 'progressive', sampler: 'furthest', run: 'pr50' } as const;
const file = (...rows: DeviationRow[]): DeviationFile => ({ version: 1, settings: { batches: 8, batch: 128, plans: 4, seed: 0 }, engine: 'test', rows });

describe('deviation.json', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mimlab-deviation-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const written = async (content: string): Promise<string> => {
    const path = join(folder, 'deviation.json');
    await writeFile(path, content);
    return path;
  };

  it('is read as it was written', async () => {
    const whole = file(row(), row({ ...PR_MIM, weights: 'common', fit: { updates: 300, loss: { first: 1, last: 0.9 } } }));
    expect(await readDeviationFile(await written(deviationJson(whole)))).toEqual(whole);
  });

  it('holds six digits of each number', () => {
    expect(deviationJson(file(row({ throw: 1 / 3 })))).toContain('"throw": 0.333333,');
  });

  it('is refused with the place of what is wrong', async () => {
    const wrong = JSON.stringify(file(row({ weights: 'theirs' as 'own' })));
    await expect(readDeviationFile(await written(wrong))).rejects.toThrow(/rows\[0\]\.weights[\s\S]*mimlab deviation/);
  });

  it('is refused without the group that figures draw', async () => {
    await expect(readDeviationFile(await written(JSON.stringify(file(row({ groups: {} })))))).rejects.toThrow(`has no group 'encoder'`);
  });

  it.each<[string, (whole: Record<string, unknown>) => unknown, RegExp]>([
    ['another version', (whole) => ({ ...whole, version: 2 }), /version/],
    ['a key that is not known', (whole) => ({ ...whole, note: '' }), /note/],
    ['a number that is none', (whole) => ({ ...whole, rows: [{ ...row(), floor: { encoder: { ...quantities(1, 0), cosine: { mean: Number.NaN, deviation: 0 } } } }] }), /rows\[0\]\.floor\.encoder\.cosine\.mean/],
    ['a negative deviation', (whole) => ({ ...whole, rows: [row({ groups: { encoder: { ...quantities(1, 0), bias: flat(0, -1) } } })] }), /rows\[0\]\.groups\.encoder\.bias\.deviation/],
    ['half a token', (whole) => ({ ...whole, rows: [row({ counts: { visible: 0.5, retained: 1, thrown: 1 } })] }), /rows\[0\]\.counts\.visible/],
  ])('is refused with %s', async (_, change, message) => {
    await expect(readDeviationFile(await written(JSON.stringify(change({ ...file(row()) }))))).rejects.toThrow(message);
  });

  it('is refused where it is no JSON', async () => {
    await expect(readDeviationFile(await written('{'))).rejects.toThrow('deviation.json: is no JSON');
  });
});

describe('names of methods', () => {
  it('call the two parts of PR-MIM together by its name, and each alone by its own', () => {
    const names = ([['progressive', 'furthest'], ['progressive', 'random'], ['partial', 'furthest'], ['subset', 'random']] as const).map(([method, sampler]) => methodName({ method, sampler }));
    expect(names).toEqual(['PR-MIM (progressive, furthest)', 'progressive, random', 'partial, furthest', 'loss subset, random']);
  });
});

describe('tables of deviation', () => {
  it('order rows by weights, method and ratio', () => {
    const rows = [row({ ...PR_MIM }), row({ throw: 0.65 }), row({ weights: 'common' }), row({ throw: 0.25 }), row({ method: 'subset' })];
    expect(inOrder(rows).map((one) => `${one.weights} ${one.method} ${one.throw}`)).toEqual(['own subset 0.5', 'own partial 0.25', 'own partial 0.65', 'own progressive 0.5', 'common partial 0.5']);
  });

  it('show every quantity with its deviation, and the noise floor beside it', () => {
    const text = deviationTables(file(row()));
    expect(text).toContain('| partial, random | 0.5 | partial50 | 0.600 ± 0.010 | 1.200 ± 0.010 | 0.500 ± 0.010 | 0.400 ± 0.010 | 0.300 ± 0.010 | 0.950 ± 0.010 | 0.300 ± 0.010 |');
    expect(text).toContain('8 batches of 128 images, 4 plans each');
  });

  it('show the layer groups that there are', () => {
    const text = deviationTables(file(row()));
    expect(text).toContain('| method | γ | run | embedding | decoder |');
    expect(text).toContain('| partial, random | 0.5 | partial50 | 0.300 / 1.100 | 0.200 / 0.900 |');
  });

  it('show a dash where a run has no such group', () => {
    const text = deviationTables(file(row(), row({ run: 'small', groups: { encoder: quantities(0.5, 1), decoder: quantities(0.8, 0.9) } })));
    expect(text).toContain('| partial, random | 0.5 | small | - | 0.200 / 0.900 |');
  });

  it('show large numbers with as many digits as they are worth', () => {
    const text = deviationTables(file(row({ groups: { encoder: { ...quantities(0.6, 1.2), bias: flat(123.456, 12.345), spread: flat(-10, 9.9996) } } })));
    expect(text).toContain('| 123 ± 12.3 | -10.0 ± 10.000 |');
  });

  it('keep a name with a bar in one cell', () => {
    expect(deviationTables(file(row({ run: 'a|b' })))).toContain('| 0.5 | a\\|b |');
  });

  it('are nothing but words where nothing was measured', () => {
    const text = deviationTables(file());
    expect(text).toContain('8 batches of 128 images');
    expect(text).not.toContain('|');
  });

  it('name weights that training starts with', () => {
    expect(deviationTables(file(row({ weights: 'init' })))).toContain('## Initial weights');
  });

  it('order samplers with random first, then by name', () => {
    const rows = ['random', 'amt', 'furthest'].map((sampler) => row({ sampler })).reverse();
    expect(inOrder(rows).map(({ sampler }) => sampler)).toEqual(['random', 'amt', 'furthest']);
  });

  it('leave the rows that they order as they were', () => {
    const rows = [row({ throw: 0.65 }), row({ throw: 0.25 })];
    inOrder(rows);
    expect(rows.map((one) => one.throw)).toEqual([0.65, 0.25]);
  });

  it('keep the kinds of weights apart and name them', () => {
    const text = deviationTables(file(row(), row({ weights: 'common', run: 'full' })));
    expect(text.match(/^## .*/gm)).toEqual([expect.stringContaining('Own weights'), expect.stringContaining('Common weights')]);
  });
});

interface Layer {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly mark: { readonly type: string; readonly strokeDash?: unknown };
}
interface Panels {
  readonly columns: number;
  readonly concat: readonly { readonly title: string; readonly layer: readonly Layer[] }[];
}
const panels = (given: DeviationFile): Panels => deviationFigure(given) as unknown as Panels;
const drawn = (layers: readonly Layer[] | undefined, type: string): Record<string, unknown>[] => [...(layers?.find(({ mark }) => mark.type === type && mark.strokeDash === undefined)?.data.values ?? [])];

describe('figure 4', () => {
  it('has a panel for each kind of weights, and a row for each quantity', () => {
    const { concat, columns } = panels(file(row(), row({ weights: 'common' })));
    expect(concat.map(({ title }) => title)).toEqual(['Weights of each method', 'Weights of full reconstruction', '', '']);
    expect(columns).toBe(2);
  });

  it('draws relative error and 1 - cosine, with a bar over batches', () => {
    const { concat } = panels(file(row()));
    expect(drawn(concat[0]?.layer, 'point')).toEqual([{ method: 'partial, random', thrown: 50, value: 1.2, low: 1.19, high: 1.21 }]);
    expect(drawn(concat[1]?.layer, 'point')).toEqual([{ method: 'partial, random', thrown: 50, value: 0.4, low: 0.39, high: 0.41 }]);
  });

  it('joins the runs of one method and ratio, with a bar over runs', () => {
    const { concat } = panels(file(row(), row({ run: 'second', groups: { encoder: quantities(0.6, 1.4) } })));
    expect(drawn(concat[0]?.layer, 'point')).toEqual([expect.objectContaining({ value: 1.3, high: 1.44142 })]);
  });

  it('draws the noise floor dashed', () => {
    const { concat } = panels(file(row()));
    const floor = concat[0]?.layer.find(({ mark }) => mark.strokeDash !== undefined);
    expect(floor?.data.values).toEqual([expect.objectContaining({ value: 0.3 })]);
  });

  it('draws one floor where several methods share the weights', () => {
    const dashed = (...rows: DeviationRow[]): number => panels(file(...rows)).concat[0]?.layer.filter(({ mark }) => mark.strokeDash !== undefined).length ?? 0;
    expect(dashed(row({ weights: 'common', run: 'full' }), row({ ...PR_MIM, weights: 'common', run: 'full' }))).toBe(1);
    expect(dashed(row({ method: 'subset' }), row())).toBe(1);
    expect(dashed(row(), row(PR_MIM))).toBe(2);
  });

  it('says what its bars are over', async () => {
    expect(await chartSvg(deviationFigure(file(row(), row(PR_MIM))))).toContain('over 8 batches of 128 images');
    expect(await chartSvg(deviationFigure(file(row(), row({ run: 'second' }))))).toContain('over runs');
  });

  it('is drawn with its axes and methods named', async () => {
    const svg = await chartSvg(deviationFigure(file(row(), row({ ...PR_MIM, throw: 0.25 }))));
    for (const text of ['relative error', '1 − cosine', 'tokens thrown, γ (% of all tokens)', 'partial, random', 'PR-MIM (progressive, furthest)']) expect(svg).toContain(`>${text}<`);
    expect(svg).toContain('8 batches of 128 images');
  });
});

describe('what is compared', () => {
  it('is read from the command line', () => {
    expect(parseMethods('partial:random, progressive:furthest')).toEqual([{ method: 'partial', sampler: 'random' }, { method: 'progressive', sampler: 'furthest' }]);
    expect(parseRatios('0.25,0.5')).toEqual([0.25, 0.5]);
  });

  it('is each method and ratio once, however often it is named', () => {
    expect(parseMethods('partial:random,subset:random, partial:random')).toEqual([{ method: 'partial', sampler: 'random' }, { method: 'subset', sampler: 'random' }]);
    expect(parseRatios('0.5,0.25, 0.50')).toEqual([0.5, 0.25]);
  });

  it.each(['partial', 'whole:random', 'partial:', 'partial:random:twice'])('is refused as %s', (text) => {
    expect(() => parseMethods(text)).toThrow(`--methods: got '${text}'`);
  });

  it.each(['0', '1', 'half', '', '-0.5', 'NaN', 'Infinity', '0,5'])('is refused at the ratio "%s"', (text) => {
    expect(() => parseRatios(text)).toThrow(`--throw: got '${text.split(',')[0]}', expected ratios above 0 and below 1`);
  });

  it('at the weights of a partial run is its method, and the loss subset with the same tokens', async () => {
    const config = 'mae/vit-b16-in1k-100e-partial50';
    const context = await loadRunContext(config);
    const forms = await formsOfRun(context, config);
    expect(isWrapped(context)).toBe(true);
    expect(forms.map(({ method, sampler, throw: ratio, counts }) => ({ method, sampler, ratio, counts }))).toEqual([
      { method: 'subset', sampler: 'random', ratio: 0.5, counts: { visible: 49, retained: 49, thrown: 98 } },
      { method: 'partial', sampler: 'random', ratio: 0.5, counts: { visible: 49, retained: 49, thrown: 98 } },
    ]);
    // Under the loss subset the decoder keeps every masked token.
    expect(forms[0]?.objective.sampler.counts({ rows: 14, columns: 14 })).toMatchObject({ retained: 147, thrown: 0 });
  });

  it('at the weights of a progressive run is its method alone', async () => {
    const config = 'mae/vit-b16-in1k-pr50';
    expect((await formsOfRun(await loadRunContext(config), config)).map(({ method, sampler }) => `${method} ${sampler}`)).toEqual(['progressive furthest']);
  });

  it('with full reconstruction has its parameters and no others', async () => {
    const [full, wrapped] = [await loadRunContext('mae/vit-b16-in1k'), await loadRunContext('mae/vit-b16-in1k-pr50')];
    expect(isWrapped(full)).toBe(false);
    expect(Object.keys(fullObjective(wrapped).params())).toEqual(Object.keys(full.objective.params()));
    expect(fullObjective(wrapped).sampler.counts({ rows: 14, columns: 14 })).toMatchObject({ retained: 147, thrown: 0 });
  });

  it('at common weights is each method at each ratio, with settings for those that aggregate', async () => {
    const config = 'mae/cifar10-small';
    const forms = await formsOfGrid(await loadRunContext(config), config, parseMethods('subset:random,progressive:furthest'), [0.25, 0.5], ['aggregator.kernel=3']);
    expect(forms.map(({ method, throw: ratio, counts }) => [method, ratio, counts.retained, counts.thrown])).toEqual([
      ['subset', 0.25, 32, 16],
      ['subset', 0.5, 16, 32],
      ['progressive', 0.25, 32, 16],
      ['progressive', 0.5, 16, 32],
    ]);
    expect(forms[3]?.objective.params()['prmim.pixels.conv.weight']?.shape.slice(0, 2)).toEqual([3, 3]);
  });
});
