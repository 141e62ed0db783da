import type { Config } from 'vega-lite';

/** Colours that people tell apart with any kind of colour vision (Okabe and Ito 2008), each with a shape and a brightness of its own. */
export const COLOURS = { ink: '#222222', grey: '#767676', blue: '#0072b2', vermilion: '#d55e00', green: '#009e73', purple: '#aa4499', orange: '#e69f00', sky: '#56b4e9' } as const;

/** How a method is drawn in every figure. */
export interface SeriesStyle {
  readonly colour: string;
  readonly shape: string;
}

const FULL: SeriesStyle = { colour: COLOURS.ink, shape: 'diamond' };
const PARTIAL: SeriesStyle = { colour: COLOURS.vermilion, shape: 'square' };
const PR_MIM: SeriesStyle = { colour: COLOURS.blue, shape: 'circle' };
const OTHERS: readonly SeriesStyle[] = [
  { colour: COLOURS.green, shape: 'triangle-up' },
  { colour: COLOURS.purple, shape: 'triangle-down' },
  { colour: COLOURS.orange, shape: 'cross' },
  { colour: COLOURS.sky, shape: 'triangle-right' },
  { colour: COLOURS.grey, shape: 'triangle-left' },
];

/** Styles of series by name: full, partial and PR-MIM look the same in all figures, others follow in order. */
export function seriesStyles(names: readonly string[]): SeriesStyle[] {
  const taken = new Set<SeriesStyle>();
  let next = 0;
  return names.map((name) => {
    const usual = /^pr-mim/i.test(name) ? PR_MIM : /^partial/i.test(name) ? PARTIAL : /^(full|mae$)/i.test(name) ? FULL : undefined;
    const style = usual !== undefined && !taken.has(usual) ? usual : (OTHERS[next++ % OTHERS.length] as SeriesStyle);
    taken.add(style);
    return style;
  });
}

export const FONT = 'Inter, Helvetica, Arial, sans-serif';

/** White around a figure, pixels. */
export const PADDING = 12;

/** What all figures have in common: type that is readable at half a page's width, light grids, nothing else. */
export const FIGURE_CONFIG: Config = {
  background: 'white',
  font: FONT,
  padding: PADDING,
  title: { fontSize: 15, fontWeight: 600, color: COLOURS.ink, subtitleFontSize: 12, subtitleColor: '#555555', subtitlePadding: 4, offset: 12, anchor: 'start' },
  axis: { labelFontSize: 13, titleFontSize: 13, titleFontWeight: 'normal', labelColor: COLOURS.ink, titleColor: COLOURS.ink, gridColor: '#e6e6e6', domainColor: '#999999', tickColor: '#999999', titlePadding: 10, labelPadding: 4 },
  legend: { labelFontSize: 13, titleFontSize: 13, titleFontWeight: 'normal', labelColor: COLOURS.ink, titleColor: COLOURS.ink, symbolSize: 110, labelLimit: 320, rowPadding: 4 },
  header: { labelFontSize: 14, labelFontWeight: 600, labelColor: COLOURS.ink },
  view: { stroke: null },
};

export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
