import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Crc32c } from '@aws-crypto/crc32c';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { diskError } from './disk.js';

/**
 * Event files as TensorBoard reads them: records of tensorflow.Event protocol buffers, framed like TFRecord
 * (length, masked CRC32C of the length, data, masked CRC32C of the data; little-endian).
 * Field numbers are those of tensorflow/core/util/event.proto and framework/summary.proto.
 */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION_LOG = { status: 1 } as const;
const STATUS_START = 1;

/** TFRecord masks its checksums, because a checksum over data that itself holds checksums is weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = new Crc32c().update(bytes).digest();
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One framed record. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

type Field = (writer: BinaryWriter) => void;

const event = (seconds: number, step: number, field: Field): Uint8Array => {
  const writer = new BinaryWriter().tag(EVENT.wallTime, 1).double(seconds).tag(EVENT.step, 0).int64(step);
  field(writer);
  return writer.finish();
};

/** First event of a file: says which format follows. */
export const versionEvent = (seconds: number): Uint8Array => event(seconds, 0, (writer) => writer.tag(EVENT.fileVersion, 2).string('brain.Event:2'));

/** Tells TensorBoard to forget what earlier files of the folder hold from `step` on: a resumed run writes it anew. */
export const restartEvent = (seconds: number, step: number): Uint8Array =>
  event(seconds, step, (writer) => writer.tag(EVENT.sessionLog, 2).fork().tag(SESSION_LOG.status, 0).int32(STATUS_START).join());

/** Scalars of one step. */
export const scalarsEvent = (seconds: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array =>
  event(seconds, step, (writer) => {
    writer.tag(EVENT.summary, 2).fork();
    for (const [tag, value] of Object.entries(scalars)) {
      writer.tag(SUMMARY_VALUE, 2).fork().tag(VALUE.tag, 2).string(tag).tag(VALUE.simpleValue, 5).float(value).join();
    }
    writer.join();
  });

export interface EventFile {
  readonly path: string;
  write(step: number, scalars: Readonly<Record<string, number>>): void;
}

/**
 * Starts a new event file in `folder`; a resumed run adds a file and voids what older ones say from its first step on.
 * Every write reaches the operating system at once, so that a killed run loses nothing.
 * @param firstStep step of the first scalars that will be written
 */
export function createEventFile(folder: string, firstStep: number, now: () => number = Date.now): EventFile {
  const seconds = (): number => now() / 1000;
  const name = `events.out.tfevents.${String(Math.floor(seconds())).padStart(10, '0')}.mimlab.${process.pid}.${firstStep}`;
  const path = join(folder, name);
  const append = (data: Uint8Array): void => {
    try {
      appendFileSync(path, frameRecord(data));
    } catch (error) {
      throw diskError(path, error);
    }
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw diskError(folder, error);
  }
  append(versionEvent(seconds()));
  if (firstStep > 1) append(restartEvent(seconds(), firstStep));
  return { path, write: (step, scalars) => append(scalarsEvent(seconds(), step, scalars)) };
}
