import { measuredOver } from '@mimlab/evaluate';
import type { TopLevelSpec } from 'vega-lite';
import { inOrder } from '../deviation/deviation-table.js';
import { methodName, type DeviationFile, type DeviationRow, type Weights } from '../deviation/deviation-file.js';
import { COLOURS, FIGURE_CONFIG, SCHEMA, seriesStyles } from './style.js';

const QUANTITIES = [
  { key: 'relativeError', title: 'relative error', of: (row: DeviationRow['groups'][string]) => row.relativeError },
  { key: 'cosine', title: '1 − cosine', of: ({ cosine }: DeviationRow['groups'][string]) => ({ mean: 1 - cosine.mean, deviation: cosine.deviation }) },
] as const;

const WEIGHTS_TITLES: Readonly<Record<Weights, string>> = { own: 'Weights of each method', common: 'Weights of full reconstruction', init: 'Initial weights' };

/** Pixels between two methods of one ratio. */
const DODGE = 5;

interface Point {
  readonly method: string;
  /** Percent of all tokens. */
  readonly thrown: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const pointOf = (method: string, ratio: number, mean: number, deviation: number): Point => ({ method, thrown: round(100 * ratio), value: round(mean), low: round(Math.max(0, mean - deviation)), high: round(mean + deviation) });
const round = (value: number): number => Number(value.toPrecision(6));

/** One point for each method and ratio: over batches for one run, over runs where there are several. */
function points(rows: readonly DeviationRow[], source: 'groups' | 'floor', of: (typeof QUANTITIES)[number]['of']): Point[] {
  const cells = new Map<string, DeviationRow[]>();
  for (const row of rows) {
    const cell = `${methodName(row)} ${row.throw}`;
    cells.set(cell, [...(cells.get(cell) ?? []), row]);
  }
  return [...cells.values()].map((same) => {
    const values = same.map((row) => of(row[source]['encoder'] as DeviationRow['groups'][string]));
    const [first] = same as [DeviationRow];
    const { mean, deviation } = values.length > 1 ? measuredOver(values.map((value) => value.mean)) : (values[0] as { mean: number; deviation: number });
    return pointOf(methodName(first), first.throw, mean, deviation);
  });
}

/** One row for each floor: common weights have one at each ratio, and a partial run shares its own with its loss subset. */
const floorRows = (rows: readonly DeviationRow[]): DeviationRow[] => [...new Map(inOrder(rows).map((row) => [row.weights === 'own' ? row.run : `${row.run} ${row.throw}`, row])).values()];

/** Figure 4: how far the gradient of each method lies from that of full reconstruction, against the throwing ratio. */
export function deviationFigure({ settings, rows }: DeviationFile): TopLevelSpec {
  const ordered = inOrder(rows);
  const names = [...new Set(ordered.map(methodName))];
  const styles = seriesStyles(names);
  const kinds = (Object.keys(WEIGHTS_TITLES) as Weights[]).filter((weights) => rows.some((row) => row.weights === weights));
  const several = rows.length > new Set(rows.map((row) => `${row.weights} ${row.throw} ${methodName(row)}`)).size;
  const ratios = [...new Set(rows.map((row) => round(100 * row.throw)))].sort((a, b) => a - b);
  const legend = { orient: 'top', columns: kinds.length };
  const [least = 0, most = 0] = [ratios[0], ratios.at(-1)];

  const panel = (weights: Weights, { of, title }: (typeof QUANTITIES)[number]): object => {
    const chosen = ordered.filter((row) => row.weights === weights);
    const x = { field: 'thrown', type: 'quantitative', title: 'tokens thrown, γ (% of all tokens)', scale: { domain: [least - 5, most + 5], nice: false }, axis: { values: ratios, grid: false } };
    const y = (field: string, more: object = {}): object => ({ field, type: 'quantitative', title, scale: { zero: true }, axis: { tickCount: 5 }, ...more });
    const colour = { field: 'method', type: 'nominal', title: null, scale: { domain: names, range: styles.map((style) => style.colour) }, legend };
    const shape = { field: 'method', type: 'nominal', title: null, scale: { domain: names, range: styles.map((style) => style.shape) }, legend };
    // Side by side, so that bars of one ratio do not hide each other.
    const offset = (name: string): number => DODGE * (names.indexOf(name) - (names.length - 1) / 2);
    const dashed = (values: readonly Point[], xOffset: number, color: object): object => ({
      data: { values },
      mark: { type: 'line', strokeDash: [3, 4], strokeWidth: 1.5, xOffset, point: { filled: false, fill: 'white', size: 30, xOffset } },
      encoding: { x, y: y('value'), color },
    });
    const floors = points(floorRows(chosen), 'floor', of);
    const lines = names.flatMap((name): object[] => {
      const values = floors.filter(({ method }) => method === name);
      if (values.length === 0) return [];
      return [weights === 'own' ? dashed(values, offset(name), colour) : dashed(values, 0, { value: COLOURS.grey })];
    });
    const layers = names.flatMap((name): object[] => {
      const values = points(chosen, 'groups', of).filter(({ method }) => method === name);
      if (values.length === 0) return [];
      const xOffset = offset(name);
      return [
        { data: { values }, mark: { type: 'rule', strokeWidth: 1.5, xOffset }, encoding: { x, y: y('low'), y2: { field: 'high' }, color: colour } },
        { data: { values }, mark: { type: 'line', strokeWidth: 2, xOffset }, encoding: { x, y: y('value'), color: colour } },
        { data: { values }, mark: { type: 'point', filled: true, size: 80, opacity: 1, xOffset }, encoding: { x, y: y('value'), color: colour, shape } },
      ];
    });
    return { width: 300, height: 220, title: title === QUANTITIES[0].title ? WEIGHTS_TITLES[weights] : '', layer: [...lines, ...layers] };
  };
  const spec = {
    $schema: SCHEMA,
    config: FIGURE_CONFIG,
    title: {
      text: 'Deviation of the encoder’s gradient from full reconstruction',
      subtitle: [
        `Bars: ± deviation over ${several ? 'runs' : `${settings.batches} batches of ${settings.batch} images`}. Dashed: noise floor, full reconstruction with other masks.`,
      ],
    },
    concat: QUANTITIES.flatMap((quantity) => kinds.map((weights) => panel(weights, quantity))),
    columns: kinds.length,
    spacing: 24,
    resolve: { scale: { color: 'shared', shape: 'shared' } },
  };
  return spec as unknown as TopLevelSpec;
}
