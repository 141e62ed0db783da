import { formatCsv } from './format-csv.js';
import { formatJson } from './format-json.js';
import { formatLatex } from './format-latex.js';
import { formatMarkdown } from './format-markdown.js';
import type { TableFormat } from './format-names.js';
import { formatTerminal } from './format-terminal.js';
import type { TableModel } from './table-model.js';

const FORMATTERS: Readonly<Record<TableFormat, (table: TableModel) => string>> = {
  terminal: formatTerminal,
  markdown: formatMarkdown,
  csv: formatCsv,
  json: formatJson,
  latex: formatLatex,
};

/** The table in a format, without a last line break. */
export const formatTable = (table: TableModel, format: TableFormat): string => FORMATTERS[format](table);
