import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { fineTuningFigure, subtitleOf } from './fine-tuning-curve.js';
import { COLOURS } from './style.js';

const point = (series: string, blocks: number, mean: number, spread?: number) => ({ series, blocks, accuracy: { mean, spread } });

interface Layer {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly mark: { readonly type: string };
  readonly encoding: { readonly x: { readonly scale: { readonly domain: readonly number[] }; readonly axis: { readonly values: readonly number[] } }; readonly color: { readonly scale: { readonly domain: readonly string[]; readonly range: readonly string[] } } };
}
interface Drawn {
  readonly title: { readonly text: string; readonly subtitle?: readonly string[] };
  readonly layer: readonly Layer[];
}
const drawn = (spec: TopLevelSpec): Drawn => spec as unknown as Drawn;
const layer = ({ layer: layers }: Drawn, type: string): Layer => layers.find(({ mark }) => mark.type === type) as Layer;

describe('figure 6', () => {
  it('has a tick at every number of blocks, ascending and once', () => {
    const figure = drawn(fineTuningFigure({ rows: [point('MAE', 4, 70), point('MAE', 0.5, 62), point('PR-MIM', 4, 71)] }));
    expect(layer(figure, 'line').encoding.x.axis.values).toEqual([0.5, 4]);
  });

  it('begins at no blocks, measured or not', () => {
    expect(layer(drawn(fineTuningFigure({ rows: [point('MAE', 2, 70), point('MAE', 12, 71)] })), 'line').encoding.x.scale.domain).toEqual([0, 12]);
  });

  it('colours methods as every figure does, in the order of the rows', () => {
    const { domain, range } = layer(drawn(fineTuningFigure({ rows: [point('PR-MIM', 0, 60), point('MAE', 0, 61), point('PR-MIM', 2, 62)] })), 'point').encoding.color.scale;
    expect([domain, range]).toEqual([['PR-MIM', 'MAE'], [COLOURS.blue, COLOURS.ink]]);
  });

  it('gives points their mean, and their bounds where there is a spread', () => {
    const { values } = layer(drawn(fineTuningFigure({ rows: [point('MAE', 0, 60, 0), point('MAE', 2, 62)] })), 'point').data;
    expect(values).toEqual([{ series: 'MAE', blocks: 0, mean: 60, low: 60, high: 60 }, { series: 'MAE', blocks: 2, mean: 62 }]);
  });

  it('has neither bars nor words about them without a spread', () => {
    const figure = drawn(fineTuningFigure({ rows: [point('MAE', 0, 60)] }));
    expect(figure.layer.map(({ mark }) => mark.type)).toEqual(['line', 'point']);
    expect(figure.title).toEqual({ text: 'Partial fine-tuning' });
  });

  it('has the title of the results and the meaning of bars below its own', () => {
    expect(drawn(fineTuningFigure({ title: 'CIFAR-10', rows: [point('MAE', 0, 60, 1)] })).title.subtitle).toEqual(['CIFAR-10', 'Bars: ± spread over seeds']);
  });
});

describe('lines below a title', () => {
  it('are those that there are', () => {
    expect(subtitleOf([undefined, 'a', undefined, 'b'])).toEqual({ subtitle: ['a', 'b'] });
  });

  it('are left out where there is none', () => {
    expect(subtitleOf([undefined])).toEqual({});
  });
});
