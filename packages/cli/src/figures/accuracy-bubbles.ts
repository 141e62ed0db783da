import { DataError } from '@mimlab/core';
import type { TopLevelSpec } from 'vega-lite';
import type { TableResults, TableRow } from './figure-data.js';
import { COLOURS, FIGURE_CONFIG, SCHEMA, seriesStyles } from './style.js';

const FULL = 'full reconstruction';
const SERIES = ['partial reconstruction', 'PR-MIM'] as const;
const NAMES = [FULL, ...SERIES];

/** Rows of table 2 that figure 1 shows. */
const POINTS: readonly { readonly id: string; readonly thrown: number; readonly series: string }[] = [
  { id: 't2-01', thrown: 0, series: FULL },
  { id: 't2-02', thrown: 25, series: 'partial reconstruction' },
  { id: 't2-06', thrown: 50, series: 'partial reconstruction' },
  { id: 't2-10', thrown: 65, series: 'partial reconstruction' },
  { id: 't2-05', thrown: 25, series: 'PR-MIM' },
  { id: 't2-09', thrown: 50, series: 'PR-MIM' },
  { id: 't2-13', thrown: 65, series: 'PR-MIM' },
];

interface Bubble {
  readonly series: string;
  /** Percent of all tokens. */
  readonly thrown: number;
  readonly top1: number;
  readonly low?: number;
  readonly high?: number;
  /** Multiply-accumulates over those of full reconstruction; absent where the file counts none. */
  readonly cost?: number;
  readonly label?: string;
}

export interface AccuracyFigure {
  readonly spec: TopLevelSpec;
  /** What the panels show. */
  readonly shown: readonly ('measured' | 'published')[];
}

/**
 * Figure 1: accuracy against the throwing ratio, bubble area the cost of a forward pass. Measured numbers come first,
 * published ones beside them; where nothing was measured the published ones stand alone.
 * @param measuredOn data and schedule, written above the panel of what was measured; what the results say unless given
 * @throws DataError if the rows hold neither
 */
export function accuracyFigure({ rows, scale }: TableResults, measuredOn = scale ?? undefined): AccuracyFigure {
  const of = { measured: bubbles(rows, 'measured'), published: bubbles(rows, 'published') };
  const shown = (['measured', 'published'] as const).filter((source) => of[source].length > 0);
  if (shown.length === 0) throw new DataError(`holds no accuracy of the rows ${POINTS.map(({ id }) => id).join(', ')}`, { place: 'results', remedy: `Give figure 1 the results of table 2.` });
  const titles = { measured: panelTitle('Measured', measuredOn), published: panelTitle('Published', 'ImageNet-1K, 100 epochs') };
  const subtitle = ['Area and label of a bubble: forward multiply-accumulates of ViT-B/16, relative to full reconstruction'];
  if (of.measured.some(({ low }) => low !== undefined)) subtitle.push('Bars: standard deviation over seeds');
  if (!shown.includes('measured')) subtitle.push('Published numbers only: nothing was measured');
  const spec = {
    $schema: SCHEMA,
    config: FIGURE_CONFIG,
    title: {
      text: 'Accuracy against throwing ratio',
      subtitle,
    },
    spacing: 40,
    hconcat: shown.map((source) => panel(of[source], titles[source])),
    resolve: { scale: { color: 'shared' } },
  };
  return { spec: spec as unknown as TopLevelSpec, shown };
}

/** Characters that fit above a panel. */
const LINE = 44;

/** What is shown, and below it on what, in lines no longer than the panel is wide: a longer title would push the panels apart. */
function panelTitle(text: string, on: string | undefined): object {
  const lines: string[] = [];
  for (const word of on?.split(' ') ?? []) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && longer.length <= LINE) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return { text, fontSize: 13, ...(lines.length === 0 ? {} : { subtitle: lines }) };
}

const gmacsOf = (row: TableRow | undefined): number | undefined => row?.analytic?.gmacs ?? undefined;

function bubbles(rows: readonly TableRow[], source: 'measured' | 'published'): Bubble[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const fullCost = gmacsOf(byId.get('t2-01'));
  return POINTS.flatMap(({ id, thrown, series }) => {
    const row = byId.get(id);
    const spread = source === 'measured' ? row?.measured?.top1?.spread : undefined;
    const top1 = source === 'measured' ? row?.measured?.top1?.mean : row?.published?.top1;
    if (typeof top1 !== 'number') return [];
    const gmacs = gmacsOf(row);
    const cost = gmacs === undefined || fullCost === undefined ? undefined : Number((gmacs / fullCost).toFixed(4));
    const bubble: Bubble = { series, thrown, top1, ...(spread === undefined ? {} : { low: top1 - spread, high: top1 + spread }), ...(cost === undefined ? {} : { cost, label: cost.toFixed(2) }) };
    return [bubble];
  });
}

/** Of a panel, in pixels: its height, what stays free above and below the points, the area of a bubble of cost 1 and its radius. */
const [HEIGHT, MARGIN, FULL_AREA] = [260, 40, 900];
const RADIUS = Math.sqrt(FULL_AREA / Math.PI);

/** How long a point of accuracy is drawn, about: the axis may be rounded to a little more than its points and bars span. */
function pixelsPerPoint(values: readonly Bubble[]): number {
  const ends = values.flatMap(({ top1, low = top1, high = top1 }) => [low, high]);
  return (HEIGHT - 2 * MARGIN) / Math.max(Math.max(...ends) - Math.min(...ends), 1e-6);
}

function panel(values: readonly Bubble[], title: object): object {
  const styles = seriesStyles(NAMES);
  const perPoint = pixelsPerPoint(values);
  const x = { field: 'thrown', type: 'quantitative', title: 'tokens thrown, γ (% of all tokens)', scale: { domain: [-8, 73], nice: false }, axis: { values: [0, 25, 50, 65], grid: false } };
  const y = (field: string): object => ({ field, type: 'quantitative', title: 'top-1 accuracy (%)', scale: { zero: false, padding: MARGIN }, axis: { tickCount: 5 } });
  const color = { field: 'series', type: 'nominal', title: null, scale: { domain: NAMES, range: styles.map(({ colour }) => colour) }, legend: { orient: 'top', symbolType: 'circle', symbolOpacity: 1 } };
  const size = { field: 'cost', type: 'quantitative', scale: { domain: [0, 1], range: [0, FULL_AREA] }, legend: null };
  const of = (...series: readonly string[]): Bubble[] => values.filter((bubble) => series.includes(bubble.series));
  // Both series begin at full reconstruction.
  const lines = SERIES.flatMap((series) => [...of(FULL), ...of(series)].map((bubble) => ({ ...bubble, series })));
  // Bars of the two stand side by side, and labels outside of both.
  const bars = (data: readonly Bubble[], xOffset: number): object => ({ data: { values: data.filter(({ low }) => low !== undefined) }, mark: { type: 'rule', strokeWidth: 2, xOffset }, encoding: { x, y: y('low'), y2: { field: 'high' }, color: { value: COLOURS.ink } } });
  // Of two that are equal PR-MIM has its label above.
  const isUpper = ({ series, thrown, top1 }: Bubble): boolean => values.every((other) => other.thrown !== thrown || other.series === series || other.top1 < top1 || (other.top1 === top1 && series === 'PR-MIM'));
  // Beyond the bubble and its bar, whichever is larger.
  const labels = (data: readonly Bubble[], side: 'above' | 'below'): object => ({
    data: { values: data.map((bubble) => ({ ...bubble, shift: (side === 'above' ? -1 : 1) * (Math.max(RADIUS, (bubble.high ?? bubble.top1) * perPoint - bubble.top1 * perPoint) + 9) })) },
    mark: { type: 'text', fontSize: 12, dy: { expr: 'datum.shift' } },
    encoding: { x, y: y('top1'), text: { field: 'label' }, color },
  });
  return {
    width: 300,
    height: HEIGHT,
    title,
    layer: [
      { data: { values: lines }, mark: { type: 'line', strokeWidth: 1.5, opacity: 0.6 }, encoding: { x, y: y('top1'), color } },
      { data: { values }, mark: { type: 'circle', opacity: 0.8, stroke: 'white', strokeWidth: 1 }, encoding: { x, y: y('top1'), color, size } },
      ...[bars(of(FULL), 0), bars(of('partial reconstruction'), -4), bars(of('PR-MIM'), 4)],
      labels(values.filter((bubble) => !isUpper(bubble)), 'below'),
      labels(values.filter(isUpper), 'above'),
    ],
  };
}
