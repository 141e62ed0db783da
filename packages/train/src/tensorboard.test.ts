import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainingError } from '@mimlab/core';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { createEventFile, frameRecord, maskedCrc32c, restartEvent } from './tensorboard.js';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Splits a file into its records, checking both checksums of each. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Fields of a message by number, nested messages as bytes. */
function fieldsOf(bytes: Uint8Array): [number, unknown][] {
  const reader = new BinaryReader(bytes);
  const fields: [number, unknown][] = [];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire === 0) fields.push([field, Number(reader.int64())]);
    else if (wire === 1) fields.push([field, reader.double()]);
    else if (wire === 2) fields.push([field, Uint8Array.from(reader.bytes())]);
    else fields.push([field, reader.float()]);
  }
  return fields;
}

describe('records', () => {
  it('use the checksum of RFC 3720, masked', () => {
    const unmasked = 0xe3069283; // CRC32C of "123456789"
    expect(maskedCrc32c(ascii('123456789'))).toBe((((unmasked >>> 15) | (unmasked << 17)) + 0xa282ead8) >>> 0);
  });

  it('frame their data with its length', () => {
    const record = frameRecord(ascii('abc'));
    expect(record).toHaveLength(8 + 4 + 3 + 4);
    expect([...record.subarray(0, 8)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
    expect(recordsOf(record).map((data) => new TextDecoder().decode(data))).toEqual(['abc']);
  });
});

describe('an event file', () => {
  it('begins with the version and holds the scalars of each step', () =>
    inTemporaryFolder(async (folder) => {
      const file = createEventFile(folder, 1, () => 1_500);
      file.write(20, { loss: 0.5, lr: 0.25 });
      const [version, scalars, ...rest] = recordsOf(readFileSync(file.path)).map(fieldsOf);
      expect(rest).toEqual([]);
      expect(version).toEqual([[1, 1.5], [2, 0], [3, ascii('brain.Event:2')]]);
      expect(scalars?.slice(0, 2)).toEqual([[1, 1.5], [2, 20]]);
      const values = fieldsOf(scalars?.[2]?.[1] as Uint8Array).map(([field, value]) => [field, fieldsOf(value as Uint8Array)]);
      expect(values).toEqual([
        [1, [[1, ascii('loss')], [2, 0.5]]],
        [1, [[1, ascii('lr')], [2, 0.25]]],
      ]);
    }));

  it('has a name that TensorBoard looks for', () =>
    inTemporaryFolder(async (folder) => {
      expect(createEventFile(folder, 1).path).toMatch(/events\.out\.tfevents\.\d{10}\.mimlab\./);
    }));

  it('of a resumed run voids what older files say from its first step on', () =>
    inTemporaryFolder(async (folder) => {
      const [, restart] = recordsOf(readFileSync(createEventFile(folder, 21, () => 2_000).path));
      expect(restart).toEqual(Buffer.from(restartEvent(2, 21)));
      expect(fieldsOf(restart as Uint8Array)).toEqual([[1, 2], [2, 21], [7, Uint8Array.of(8, 1)]]);
    }));

  it('names the path when it cannot be written', () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'run'));
      writeFileSync(join(folder, 'run', 'tensorboard'), 'a file where a folder belongs');
      expect(() => createEventFile(join(folder, 'run', 'tensorboard', 'x'), 1)).toThrow(TrainingError);
    }));
});
