/** One value at one place of the horizontal axis. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

export interface TextCurveOptions {
  readonly width?: number;
  readonly height?: number;
  readonly xName: string;
}

/** Dots of a Braille character, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Draws a curve with Braille dots: 2 x 4 dots in each character. Points that share a column are averaged. */
export function textCurve(points: readonly CurvePoint[], { width = 64, height = 10, xName }: TextCurveOptions): string {
  const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (finite.length === 0) return '(no points)';
  const [x0, x1] = extent(finite.map(({ x }) => x));
  const [y0, y1] = extent(finite.map(({ y }) => y));
  const [columns, rows] = [width * 2, height * 4];
  const column = (x: number): number => Math.round(((x - x0) / (x1 - x0 || 1)) * (columns - 1));
  const row = (y: number): number => Math.round(((y1 - y) / (y1 - y0 || 1)) * (rows - 1));

  const sums = new Map<number, { sum: number; count: number }>();
  for (const { x, y } of finite) {
    const at = sums.get(column(x)) ?? { sum: 0, count: 0 };
    sums.set(column(x), { sum: at.sum + y, count: at.count + 1 });
  }
  const means = [...sums].sort(([a], [b]) => a - b).map(([at, { sum, count }]) => ({ column: at, row: row(sum / count) }));

  const cells = Array.from({ length: height }, () => new Uint8Array(width));
  const dot = (x: number, y: number): void => {
    const line = cells[y >> 2] as Uint8Array;
    line[x >> 1] = (line[x >> 1] as number) | (DOTS[y & 3]?.[x & 1] as number);
  };
  means.forEach((point, index) => {
    const next = means[index + 1] ?? point;
    for (let x = point.column; x <= next.column; x++) {
      const share = next.column === point.column ? 0 : (x - point.column) / (next.column - point.column);
      dot(x, Math.round(point.row + share * (next.row - point.row)));
    }
  });

  const labels = cells.map((_, line) => (line === 0 ? number(y1) : line === height - 1 ? number(y0) : ''));
  const margin = Math.max(...labels.map((label) => label.length));
  const lines = cells.map((line, index) => `${(labels[index] as string).padStart(margin)} |${[...line].map((bits) => String.fromCodePoint(0x2800 + bits)).join('')}`);
  const axis = `${' '.repeat(margin)} +${'-'.repeat(width)}`;
  const scale = `${' '.repeat(margin + 2)}${number(x0)}${`${xName} ${number(x1)}`.padStart(width - number(x0).length)}`;
  return [...lines, axis, scale].join('\n');
}

function extent(values: readonly number[]): readonly [number, number] {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));
