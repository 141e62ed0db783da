import { GROUP_NAMES, tableCells } from './table-cells.js';
import type { TableModel } from './table-model.js';

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');

/** A Markdown table; each head names its group, since Markdown has no heads over several columns. */
export function formatMarkdown(table: TableModel): string {
  const heads = ['row', ...table.columns.map(({ group, head }) => `${GROUP_NAMES[group]} ${head}`.trim())];
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  const scale = table.scale === undefined ? [] : [`Measured: ${table.scale}.`, ''];
  return [
    `**Table ${table.id.slice(1)}.** ${table.title}.`,
    '',
    ...scale,
    line(heads),
    `| ${heads.map(() => '---').join(' | ')} |`,
    ...tableCells(table).map(line),
    '',
    ...table.notes.map((note) => `- ${escaped(note)}`),
  ].join('\n');
}
