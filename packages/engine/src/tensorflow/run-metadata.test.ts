import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { readRunMetadata } from './run-metadata.js';

type Record = [microseconds: number, bytes: number];

const bytesField = (writer: BinaryWriter, field: number, body: (inner: BinaryWriter) => void): void => {
  writer.uint32((field << 3) | 2).fork();
  body(writer);
  writer.join();
};
const number = (writer: BinaryWriter, field: number, value: number): BinaryWriter => writer.uint32(field << 3).int64(value);

/** NodeExecStats of an operation that ran so long and allocated (positive) and released (negative) these bytes. */
function node(writer: BinaryWriter, name: string, label: string, microseconds: number, records: readonly Record[]): void {
  bytesField(writer, 2, (stats) => {
    stats.uint32((1 << 3) | 2).string(name);
    number(stats, 2, 1000);
    number(stats, 4, microseconds);
    bytesField(stats, 6, (memory) => {
      memory.uint32((1 << 3) | 2).string('cpu');
      for (const [time, bytes] of records) {
        bytesField(memory, 6, (record) => {
          number(record, 1, time);
          number(record, 2, bytes);
        });
      }
    });
    stats.uint32((8 << 3) | 2).string(label);
  });
}

const metadata = (nodes: (device: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  bytesField(writer, 1, (stats) =>
    bytesField(stats, 1, (device) => {
      device.uint32((1 << 3) | 2).string('/device:CPU:0');
      nodes(device);
    }),
  );
  return writer.finish();
};

describe('readRunMetadata', () => {
  it('follows allocations and releases to the moment when most is held', () => {
    const profile = readRunMetadata(
      metadata((device) => {
        node(device, 'step0/MatMul_1', 'step0/MatMul_1 = MatMul(x, w)', 500, [[10, 100], [40, -100]]);
        node(device, 'step0/Exp_2', 'step0/Exp_2 = Exp(y)', 250, [[20, 70], [50, -70]]);
        node(device, 'step0/Exp_3', 'step0/Exp_3 = Exp(z)', 250, [[45, 60]]);
      }),
    );
    expect(profile).toEqual({ peakBytes: 170, atPeak: { MatMul: 100, Exp: 70 }, seconds: { MatMul: 0.0005, Exp: 0.0005 }, operations: 3 });
  });

  it('counts a release before an allocation at the same moment', () => {
    const profile = readRunMetadata(metadata((device) => node(device, 'a', 'a = Exp(y)', 1, [[1, 100], [5, 80], [5, -100]])));
    expect(profile.peakBytes).toBe(100);
  });

  it('takes the type from the name where there is no label', () => {
    const profile = readRunMetadata(metadata((device) => node(device, 'step0/ReadVariableOp_17', '', 2, [])));
    expect(profile.seconds).toEqual({ ReadVariableOp: 0.000002 });
  });

  it('reads an empty record as nothing', () => {
    expect(readRunMetadata(new Uint8Array())).toEqual({ peakBytes: 0, atPeak: {}, seconds: {}, operations: 0 });
  });
});
