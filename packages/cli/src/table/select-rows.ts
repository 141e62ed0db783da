import { ConfigError, didYouMean } from '@mimlab/core';
import { shortId, type PaperRow, type PaperTable } from './paper-tables.js';

/**
 * The rows of a list such as `t2-01,t2-05..t2-08`: ids, their numbers alone, or ranges of either. In the order of the table.
 * @throws ConfigError naming what is no row, with the ids that there are
 */
export function selectRows(table: PaperTable, list: string): readonly PaperRow[] {
  const ids = table.rows.map(({ id }) => id);
  const refuse = (problem: string): never => {
    throw new ConfigError(problem, { place: '--rows', remedy: `${shortId(table)} has ${ids.join(', ')}; a range is written ${ids[0]}..${ids.at(-1)}.` });
  };
  const place = (text: string): number => {
    const id = fullId(table, text);
    const index = ids.indexOf(id);
    return index >= 0 ? index : refuse(`'${text}' is no row of ${shortId(table)}${didYouMean(id, ids)}`);
  };
  const chosen = new Set<string>();
  for (const item of list.split(',').map((text) => text.trim())) {
    const ends = item.split('..');
    if (ends.length > 2) refuse(`'${item}' is no range`);
    const [from, to] = [place(ends[0] as string), place(ends.at(-1) as string)];
    if (to < from) refuse(`'${item}' ends before it begins`);
    for (const id of ids.slice(from, to + 1)) chosen.add(id);
  }
  return table.rows.filter(({ id }) => chosen.has(id));
}

/** `9` and `09` are rows of the table at hand. */
const fullId = (table: PaperTable, text: string): string => (/^\d+$/.test(text) ? `${shortId(table)}-${text.padStart(2, '0')}` : text.toLowerCase());
