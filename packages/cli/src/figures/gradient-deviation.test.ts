import { describe, expect, it } from 'vitest';
import type { DeviationFile, DeviationRow } from '../deviation/deviation-file.js';
import { deviationFigure } from './gradient-deviation.js';
import { COLOURS } from './style.js';

const measured = (mean: number, deviation = 0) => ({ mean, deviation });
const quantities = (cosine: number, relativeError: number, deviation = 0) => ({ cosine: measured(cosine, deviation), relativeError: measured(relativeError, deviation), scaleFreeError: measured(0), bias: measured(0), spread: measured(0) });
const row = (more: Partial<DeviationRow> = {}): DeviationRow => ({
  method: 'partial',
  throw: 0.5,
  sampler: 'random',
  weights: 'own',
  run: 'partial50',
  counts: { visible: 1, retained: 1, thrown: 2 },
  groups: { encoder: quantities(0.75, 0.5) },
  floor: { encoder: quantities(0.875, 0.25) },
  ...more,
});
const PR_MIM = { method: 'progressive', sampler: 'furthest', run: 'pr50' } as const;

interface Layer {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly mark: { readonly type: string; readonly strokeDash?: unknown; readonly xOffset: number };
  readonly encoding: { readonly x: { readonly scale: { readonly domain: readonly number[] }; readonly axis: { readonly values: readonly number[] } }; readonly y: { readonly title: string }; readonly color: { readonly value?: string; readonly scale?: { readonly domain: readonly string[]; readonly range: readonly string[] } } };
}
interface Drawn {
  readonly title: { readonly subtitle: readonly string[] };
  readonly columns: number;
  readonly concat: readonly { readonly title: string; readonly layer: readonly Layer[] }[];
}
const drawn = (...rows: DeviationRow[]): Drawn => deviationFigure({ version: 1, settings: { batches: 8, batch: 128, plans: 4, seed: 0 }, engine: 'test', rows } satisfies DeviationFile) as unknown as Drawn;
const layers = ({ concat }: Drawn, type: string, panel = 0): readonly Layer[] => concat[panel]?.layer.filter(({ mark }) => mark.type === type && mark.strokeDash === undefined) ?? [];
const floors = ({ concat }: Drawn, panel = 0): readonly Layer[] => concat[panel]?.layer.filter(({ mark }) => mark.strokeDash !== undefined) ?? [];

describe('the axes of figure 4', () => {
  it('have a tick at each ratio that was measured, ascending and once', () => {
    const [line] = layers(drawn(row({ throw: 0.65 }), row({ throw: 0.25 }), row({ ...PR_MIM, throw: 0.65 })), 'line');
    expect(line?.encoding.x.axis.values).toEqual([25, 65]);
    expect(line?.encoding.x.scale.domain).toEqual([20, 70]);
  });

  it('are error above and one minus cosine below', () => {
    const figure = drawn(row());
    expect([0, 1].map((panel) => layers(figure, 'line', panel)[0]?.encoding.y.title)).toEqual(['relative error', '1 − cosine']);
    expect(layers(figure, 'point', 1)[0]?.data.values).toEqual([{ method: 'partial, random', thrown: 50, value: 0.25, low: 0.25, high: 0.25 }]);
  });
});

describe('the lines of figure 4', () => {
  it('are one a method, over its ratios', () => {
    const lines = layers(drawn(row({ throw: 0.65 }), row({ throw: 0.25 }), row(PR_MIM)), 'line');
    expect(lines.map(({ data }) => data.values.map(({ method, thrown }) => `${String(method)} ${String(thrown)}`))).toEqual([['partial, random 25', 'partial, random 65'], ['PR-MIM (progressive, furthest) 50']]);
  });

  it('stand side by side, in the middle together, so that bars do not hide each other', () => {
    const offsets = layers(drawn(row(), row(PR_MIM), row({ method: 'subset' })), 'rule').map(({ mark }) => mark.xOffset);
    expect(new Set(offsets).size).toBe(3);
    expect(offsets.reduce((sum, offset) => sum + offset, 0)).toBe(0);
  });

  it('have the colour that the method has in every figure', () => {
    const scale = layers(drawn(row(), row(PR_MIM)), 'line')[0]?.encoding.color.scale;
    expect(Object.fromEntries((scale?.domain ?? []).map((name, at) => [name, scale?.range[at]]))).toEqual({ 'partial, random': COLOURS.vermilion, 'PR-MIM (progressive, furthest)': COLOURS.blue });
  });

  it('have bars that do not go below nothing', () => {
    const [bar] = layers(drawn(row({ groups: { encoder: quantities(0.75, 0.5, 0.75) } })), 'rule');
    expect(bar?.data.values).toEqual([expect.objectContaining({ low: 0, high: 1.25 })]);
  });

  it('stand in the panel of their weights alone', () => {
    const figure = drawn(row(), row({ ...PR_MIM, weights: 'common', run: 'full' }));
    expect(figure.columns).toBe(2);
    expect([0, 1].map((panel) => layers(figure, 'line', panel).map(({ data }) => data.values[0]?.['method']))).toEqual([['partial, random'], ['PR-MIM (progressive, furthest)']]);
  });
});

describe('the noise floors of figure 4', () => {
  it('have the colour of their method at its own weights, and none of its own at common ones', () => {
    const figure = drawn(row(), row({ weights: 'common', run: 'full' }));
    expect(floors(figure, 0)[0]?.encoding.color.scale?.domain).toEqual(['partial, random']);
    expect(floors(figure, 1)[0]?.encoding.color).toEqual({ value: COLOURS.grey });
  });

  it('are one minus cosine below as the lines are', () => {
    expect(floors(drawn(row()), 1)[0]?.data.values).toEqual([expect.objectContaining({ value: 0.125 })]);
  });
});

describe('the words of figure 4', () => {
  it('name the kinds of weights above, in one order', () => {
    expect(drawn(row({ weights: 'init' }), row({ weights: 'common' }), row()).concat.slice(0, 3).map(({ title }) => title)).toEqual(['Weights of each method', 'Weights of full reconstruction', 'Initial weights']);
  });

  it('speak of batches for one run each, of runs where a method has several', () => {
    expect(drawn(row(), row(PR_MIM)).title.subtitle[0]).toContain('over 8 batches of 128 images');
    expect(drawn(row(), row({ run: 'other' })).title.subtitle[0]).toContain('over runs');
    expect(drawn(row(), row({ throw: 0.25 })).title.subtitle[0]).not.toContain('over runs');
  });
});
