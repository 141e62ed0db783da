import { DataError } from '@mimlab/core';
import type { TablesSource } from './dataset-source.js';
import { openTable, readColumn, type Table } from './table-file.js';

/** Encoded images kept by one thread. One row group is kept in any case. */
const KEPT_BYTES = 64 * 2 ** 20;

export interface TableReader {
  /**
   * An image as it was encoded.
   * @throws DataError naming file and row.
   */
  bytes(index: number): Promise<Uint8Array>;
  describe(index: number): string;
}

interface RowGroup {
  readonly start: number;
  readonly bytes: number;
  readonly values: Promise<unknown[]>;
}

/**
 * Random access to the images of tables. A table can only be read a row group at a time; the groups used last are kept,
 * so that reading in order reads each once.
 */
export function createTableReader({ files, starts, column }: Pick<TablesSource, 'files' | 'starts' | 'column'>, keptBytes = KEPT_BYTES): TableReader {
  const tables = new Map<number, Promise<Table>>();
  /** The one used last is the last. */
  const groups = new Map<string, RowGroup>();

  const placeOf = (index: number): { readonly shard: number; readonly row: number } => {
    let shard = starts.length - 1;
    while (shard > 0 && (starts[shard] as number) > index) shard--;
    return { shard, row: index - (starts[shard] as number) };
  };

  const tableOf = (shard: number): Promise<Table> => {
    const table = tables.get(shard) ?? openTable(files[shard] as string);
    tables.set(shard, table);
    return table;
  };

  const groupOf = (shard: number, table: Table, row: number): RowGroup => {
    let start = 0;
    let number = 0;
    let end = 0;
    for (const [candidate, { num_rows }] of table.metadata.row_groups.entries()) {
      [number, start, end] = [candidate, end, end + Number(num_rows)];
      if (row < end) break;
    }
    const key = `${shard}/${number}`;
    const group = groups.get(key) ?? { start, bytes: bytesOf(table, number), values: readColumn(table, column, start, end) };
    groups.delete(key);
    groups.set(key, group);
    let kept = [...groups.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [oldest, { bytes }] of groups) {
      if (kept <= keptBytes || oldest === key) break;
      groups.delete(oldest);
      kept -= bytes;
    }
    return group;
  };

  /** Size of the column's part of a row group. */
  const bytesOf = ({ metadata }: Table, number: number): number =>
    (metadata.row_groups[number]?.columns ?? []).reduce((sum, { meta_data: chunk }) => (chunk?.path_in_schema[0] === column ? sum + Number(chunk.total_uncompressed_size) : sum), 0);

  const describe = (index: number): string => {
    const { shard, row } = placeOf(index);
    return `${String(files[shard])} row ${row}`;
  };

  return {
    describe,
    bytes: async (index) => {
      const { shard, row } = placeOf(index);
      const { start, values } = groupOf(shard, await tableOf(shard), row);
      const value = (await values)[row - start];
      const bytes = value instanceof Uint8Array ? value : (value as { readonly bytes?: unknown } | null | undefined)?.bytes;
      if (bytes instanceof Uint8Array) return bytes;
      throw new DataError(`holds no bytes of an image in column '${column}'`, { place: describe(index), remedy: 'Take a table whose images are stored in it, not as paths.' });
    },
  };
}
