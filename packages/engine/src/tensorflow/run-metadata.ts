import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { libc, type Pointer, type TensorflowApi } from './c-library.js';

/** What TensorFlow recorded of one run. */
export interface RunProfile {
  /** Most bytes that the run's own allocations held at once. Variables and what earlier runs left are not in it. */
  readonly peakBytes: number;
  /** Bytes held at that moment, by operation type. */
  readonly atPeak: Readonly<Record<string, number>>;
  /** Seconds spent in operations, by operation type. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Number of operations that ran. */
  readonly operations: number;
}

/** Calls `body` with RunOptions that ask for a full trace and an empty buffer for the metadata. */
export async function withMetadata<T>(
  api: TensorflowApi,
  body: (options: Pointer, metadata: { readonly pointer: Pointer; bytes(): Uint8Array }) => Promise<T>,
): Promise<T> {
  const FULL_TRACE = 3;
  const bytes = new BinaryWriter().uint32((1 << 3) | WireType.Varint).int32(FULL_TRACE).finish();
  const options = api.newBufferFromString(bytes, bytes.length) as Pointer;
  const pointer = api.newBuffer() as Pointer;
  try {
    return await body(options, {
      pointer,
      bytes() {
        // TF_Buffer is {const void* data; size_t length; ...}.
        const head = new BigUint64Array(2);
        libc().copy(head, pointer, 16);
        const copy = new Uint8Array(Number(head[1]));
        libc().copy(copy, head[0] ?? null, copy.length);
        return copy;
      },
    });
  } finally {
    api.deleteBuffer(pointer);
    api.deleteBuffer(options);
  }
}

interface AllocationEvent {
  readonly microseconds: number;
  readonly bytes: number;
  readonly operation: string;
}

/** Visits the fields of a message; `visit` returns false for fields it did not read. */
function fields(reader: BinaryReader, end: number, visit: (field: number) => boolean): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (!visit(field)) reader.skip(wireType, field);
  }
}

/** Visits the fields of the length-delimited message that comes next. */
function message(reader: BinaryReader, visit: (field: number) => boolean): true {
  const length = reader.uint32();
  fields(reader, reader.pos + length, visit);
  return true;
}

/** `VarHandleOp` of `node = VarHandleOp(...)`: the label of a timeline ends with the operation's type in this form. */
function operationType(label: string, name: string): string {
  const match = /= ([A-Za-z0-9_]+)\(/.exec(label);
  return match?.[1] ?? name.replace(/^.*\//, '').replace(/_\d+$/, '');
}

/** Reads a serialised tensorflow.RunMetadata (tensorflow/core/framework/step_stats.proto). */
export function readRunMetadata(bytes: Uint8Array): RunProfile {
  const reader = new BinaryReader(bytes);
  const events: AllocationEvent[] = [];
  const seconds: Record<string, number> = {};
  let operations = 0;

  const node = (): true => {
    let name = '';
    let label = '';
    let ranMicroseconds = 0;
    const own: { microseconds: number; bytes: number }[] = [];
    const allocator = (): true =>
      message(reader, (field) => {
        if (field !== 6) return false; // AllocatorMemoryUsed.allocation_records
        const record = { microseconds: 0, bytes: 0 };
        message(reader, (inner) => {
          if (inner === 1) record.microseconds = Number(reader.int64());
          else if (inner === 2) record.bytes = Number(reader.int64());
          else return false;
          return true;
        });
        own.push(record);
        return true;
      });
    message(reader, (field) => {
      if (field === 1) name = reader.string();
      else if (field === 4) ranMicroseconds = Number(reader.int64()); // op_end_rel_micros
      else if (field === 6) allocator();
      else if (field === 8) label = reader.string(); // timeline_label
      else return false;
      return true;
    });
    operations++;
    const operation = operationType(label, name);
    seconds[operation] = (seconds[operation] ?? 0) + ranMicroseconds / 1e6;
    for (const { microseconds, bytes: size } of own) events.push({ microseconds, bytes: size, operation });
    return true;
  };
  const device = (): true => message(reader, (field) => field === 2 && node());
  fields(reader, bytes.length, (field) => field === 1 && message(reader, (inner) => inner === 1 && device()));
  return { ...peakOf(events), seconds, operations };
}

function peakOf(events: AllocationEvent[]): Pick<RunProfile, 'peakBytes' | 'atPeak'> {
  // Releases first where times are equal, so that a buffer handed on is not counted twice.
  events.sort((a, b) => a.microseconds - b.microseconds || a.bytes - b.bytes);
  const live = new Map<string, number>();
  let held = 0;
  let peakBytes = 0;
  let atPeak: Record<string, number> = {};
  let peakEvents = -1;
  events.forEach(({ bytes }, index) => {
    held += bytes;
    if (held > peakBytes) [peakBytes, peakEvents] = [held, index];
  });
  for (const { bytes, operation } of events.slice(0, peakEvents + 1)) live.set(operation, (live.get(operation) ?? 0) + bytes);
  atPeak = Object.fromEntries([...live].filter(([, bytes]) => bytes > 0).sort((a, b) => b[1] - a[1]));
  return { peakBytes, atPeak };
}
