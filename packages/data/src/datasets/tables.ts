import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { parquetSchema, type FileMetaData } from 'hyparquet';
import { z } from 'zod';
import { sharedLabels, type TablesSource } from './dataset-source.js';
import { IMAGENET_STATISTICS, statisticsFor } from './statistics.js';
import { openTable, readColumn } from './table-file.js';

/** Names of the columns on the hub, the usual one first. */
const IMAGE_COLUMNS = ['image', 'img'];
const LABEL_COLUMNS = ['label', 'fine_label'];
const PREFIXES = { train: ['train'], test: ['test', 'validation', 'val'] } as const;
const REMEDY = `Set 'data.path' to the folder of the tables: train-00000-of-00001.parquet and test-... (or validation-...), there or in 'data/'.`;

/** The part of the key-value entry `huggingface` that class names are in. */
const Features = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });
const ClassLabel = z.object({ names: z.array(z.string()).min(1) });

/**
 * Images in Parquet tables as the Hugging Face hub ships them: `SPLIT-00000-of-0000N.parquet` with a column of encoded
 * images (`bytes`, or a struct with `bytes`) and one of labels. Class names are those of the features in the file's
 * metadata; without them classes are called by their numbers. Labels are read now, images when asked for.
 * @throws DataError naming the file, and the row or the column that is wrong.
 */
export async function listTables(split: 'train' | 'test', path: string, channels: 1 | 3): Promise<TablesSource> {
  const files = await shardsOf(split, path);
  const starts: number[] = [];
  const labels: number[] = [];
  let shared: { readonly column: string; readonly names: readonly string[] | undefined } | undefined;
  for (const file of files) {
    const table = await openTable(file);
    const column = columnOf(table.metadata, IMAGE_COLUMNS, file);
    const labelColumn = columnOf(table.metadata, LABEL_COLUMNS, file);
    const names = classNames(table.metadata, labelColumn);
    if (shared !== undefined && (column !== shared.column || names?.join('\n') !== shared.names?.join('\n'))) {
      throw new DataError(`has other columns or classes than '${String(files[0])}'`, { place: file, remedy: 'Keep the tables of one data set in a folder of their own.' });
    }
    shared = { column, names };
    starts.push(labels.length);
    for (const [row, value] of (await readColumn(table, labelColumn, 0, Number(table.metadata.num_rows))).entries()) labels.push(checkedLabel(value, names, `${file} row ${row}`));
  }
  if (shared === undefined || labels.length === 0) throw new DataError(`its ${split} tables hold no rows`, { place: path, remedy: REMEDY });
  const highest = labels.reduce((most, label) => Math.max(most, label), 0);
  return {
    kind: 'tables',
    name: 'parquet',
    classes: shared.names ?? Array.from({ length: highest + 1 }, (_, label) => String(label)),
    statistics: statisticsFor(IMAGENET_STATISTICS, channels),
    channels,
    files,
    starts,
    column: shared.column,
    labels: sharedLabels(labels),
  };
}

/** The files of the first prefix that is there, all of them. */
async function shardsOf(split: 'train' | 'test', path: string): Promise<string[]> {
  for (const folder of [path, join(path, 'data')]) {
    const names = await readdir(folder).catch(() => []);
    for (const prefix of PREFIXES[split]) {
      const found = names.filter((name) => name.endsWith('.parquet') && (name.startsWith(`${prefix}-`) || name === `${prefix}.parquet`)).sort();
      if (found.length === 0) continue;
      checkComplete(folder, prefix, found);
      return found.map((name) => join(folder, name));
    }
  }
  throw new DataError(`holds no ${PREFIXES[split].map((prefix) => `'${prefix}-*.parquet'`).join(' or ')}`, { place: path, remedy: REMEDY });
}

/** A shard that was not downloaded must not quietly make the data set smaller. */
function checkComplete(folder: string, prefix: string, found: readonly string[]): void {
  const promised = found.map((name) => /-(\d+)-of-(\d+)/.exec(name)).filter((match) => match !== null);
  const counts = new Set(promised.map((match) => Number(match[2])));
  const several = (): DataError => new DataError(`holds '${prefix}' tables of several divisions: ${found.join(', ')}`, { place: folder, remedy: 'Keep one of them.' });
  if (counts.size > 1) throw several();
  const [count] = counts;
  if (count === undefined) return;
  const there = new Set(promised.map((match) => Number(match[1])));
  // As many as are told of: a name may claim any number of tables.
  const missing: number[] = [];
  for (let shard = 0; shard < count && missing.length <= 10; shard++) if (!there.has(shard)) missing.push(shard);
  if (missing.length > 0) {
    throw new DataError(`has ${there.size} of ${count} '${prefix}' tables; number ${missing.slice(0, 10).join(', ')} ${missing.length > 10 ? '... are' : 'is'} missing`, { place: folder, remedy: 'Download the missing tables.' });
  }
  if (found.length > count) throw several();
}

function columnOf(metadata: FileMetaData, wanted: readonly string[], file: string): string {
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const found = wanted.find((name) => columns.includes(name));
  if (found !== undefined) return found;
  throw new DataError(`has no column ${wanted.map((name) => `'${name}'`).join(' or ')}; its columns are ${columns.join(', ')}`, { place: file, remedy: 'Take a table of labelled images.' });
}

/** Undefined where the table does not name its classes. */
function classNames({ key_value_metadata: entries }: FileMetaData, column: string): readonly string[] | undefined {
  const text = entries?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const features = Features.safeParse(content);
  const label = features.success ? ClassLabel.safeParse(features.data.info.features[column]) : undefined;
  return label?.success === true ? label.data.names : undefined;
}

function checkedLabel(value: unknown, names: readonly string[] | undefined, place: string): number {
  const label = typeof value === 'bigint' ? Number(value) : value;
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0 && (names === undefined || label < names.length)) return label;
  const remedy = label === -1 ? 'The hub marks images without a label so: move this split away, then the validation tables are used.' : 'Take a table with one class number a row.';
  throw new DataError(`has label ${String(label)}, expected ${names === undefined ? 'a whole number from 0 up' : `0 .. ${names.length - 1}`}`, { place, remedy });
}
