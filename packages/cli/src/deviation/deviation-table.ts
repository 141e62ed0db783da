import { GROUPS, type Measured } from '@mimlab/evaluate';
import { methodName, type DeviationFile, type DeviationRow } from './deviation-file.js';

const WEIGHTS_NAMES = {
  own: 'Own weights: of a run of the method itself at that ratio',
  common: 'Common weights: of full reconstruction; under progressive reconstruction the aggregation was fitted afterwards, all else frozen',
  init: 'Initial weights',
} as const;

const number = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3));
const cell = ({ mean, deviation }: Measured): string => `${number(mean)} ± ${number(deviation)}`;
const line = (cells: readonly string[]): string => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [line(heads), line(heads.map(() => '---')), ...rows.map(line)];

/** Rows as people read them: weights, then method, then ratio. */
export const inOrder = (rows: readonly DeviationRow[]): DeviationRow[] => {
  const rank = ({ weights, method, sampler, throw: ratio }: DeviationRow): string =>
    [['own', 'common', 'init'].indexOf(weights), ['subset', 'partial', 'progressive'].indexOf(method), sampler === 'random' ? 0 : 1, sampler, ratio.toFixed(4)].join(' ');
  return [...rows].sort((a, b) => rank(a).localeCompare(rank(b)));
};

/** The whole file as Markdown: a table for each kind of weights, and the layer groups behind it. */
export function deviationTables({ settings, engine, rows }: DeviationFile): string {
  const { batches, batch, plans, seed } = settings;
  const lines = [
    `Gradients of each method against that of full reconstruction, on the same weights, images and masks. Mean ± deviation over ${batches} batches of ${batch} images, ${plans} plans each (seed ${seed}; ${engine}).`,
    'γ: share of all tokens thrown. Floor: full reconstruction against itself with other masks.',
  ];
  for (const [weights, title] of Object.entries(WEIGHTS_NAMES)) {
    const chosen = inOrder(rows.filter((row) => row.weights === weights));
    if (chosen.length === 0) continue;
    lines.push('', `## ${title}`, '', 'Parameters of the encoder:', '', ...encoderTable(chosen), '', '1 - cosine / relative error by group:', '', ...groupTable(chosen));
  }
  return lines.join('\n');
}

function encoderTable(rows: readonly DeviationRow[]): string[] {
  const heads = ['method', 'γ', 'run', 'cosine', 'relative error', 'scale-free error', 'bias', 'spread', 'floor: cosine', 'floor: relative error'];
  return table(
    heads,
    rows.map((row) => {
      const { cosine, relativeError, scaleFreeError, bias, spread } = row.groups['encoder'] as NonNullable<DeviationRow['groups'][string]>;
      const floor = row.floor['encoder'] as NonNullable<DeviationRow['floor'][string]>;
      return [methodName(row), String(row.throw), row.run, ...[cosine, relativeError, scaleFreeError, bias, spread, floor.cosine, floor.relativeError].map(cell)];
    }),
  );
}

function groupTable(rows: readonly DeviationRow[]): string[] {
  const groups = GROUPS.filter((group) => group !== 'encoder' && rows.some((row) => group in row.groups));
  return table(
    ['method', 'γ', 'run', ...groups],
    rows.map((row) => [
      methodName(row),
      String(row.throw),
      row.run,
      ...groups.map((group) => {
        const quantities = row.groups[group];
        return quantities === undefined ? '-' : `${number(1 - quantities.cosine.mean)} / ${number(quantities.relativeError.mean)}`;
      }),
    ]),
  );
}
