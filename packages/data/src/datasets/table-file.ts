import { DataError } from '@mimlab/core';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** A Parquet file and its footer. */
export interface Table {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

const refusal = (path: string, cause: unknown): DataError =>
  new DataError(`cannot be read as a Parquet table: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, remedy: 'Download the file again: it is missing, cut short or of another format.', cause });

/** @throws DataError naming the file. */
export async function openTable(path: string): Promise<Table> {
  try {
    const file = await asyncBufferFromFile(path);
    return { path, file, metadata: await parquetMetadataAsync(file) };
  } catch (cause) {
    throw refusal(path, cause);
  }
}

/**
 * Rows `rowStart .. rowEnd - 1` of one column; of a struct, objects.
 * @throws DataError naming the file.
 */
export async function readColumn({ path, file, metadata }: Table, column: string, rowStart: number, rowEnd: number): Promise<unknown[]> {
  try {
    let values: unknown[] = [];
    await parquetRead({
      file,
      metadata,
      columns: [column],
      rowStart,
      rowEnd,
      compressors,
      // Encoded images are byte arrays without a type, which would be taken for text.
      utf8: false,
      onComplete: (rows) => {
        values = rows.map((row) => row[0] as unknown);
      },
    });
    return values;
  } catch (cause) {
    throw refusal(path, cause);
  }
}
