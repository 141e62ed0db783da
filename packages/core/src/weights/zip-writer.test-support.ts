import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipOptions {
  /** Write sizes and offsets as zip64 extra fields. */
  readonly zip64?: boolean;
  readonly deflate?: boolean;
}

/** A zip archive of the given entries. */
export function zip(entries: Readonly<Record<string, Uint8Array>>, { zip64 = false, deflate = false }: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const packed = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const common = Buffer.concat([u16(zip64 ? 45 : 20), u16(0), u16(deflate ? 8 : 0), u16(0), u16(0x21), u32(crc32(bytes))]);
    const sizes = (large: boolean): Buffer => (large ? Buffer.alloc(8, 0xff) : Buffer.concat([u32(packed.length), u32(bytes.length)]));
    // Torch pads the extra field so that the data is aligned; readers must not take the central directory's length for it.
    const padding = Buffer.concat([Buffer.from('FB'), u16(6), Buffer.alloc(6, 0x5a)]);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, sizes(false), u16(name.length), u16(padding.length), Buffer.from(name), padding, packed]);
    const extra = zip64 ? Buffer.concat([u16(1), u16(24), u64(bytes.length), u64(packed.length), u64(position)]) : Buffer.alloc(0);
    const place = zip64 ? Buffer.alloc(4, 0xff) : u32(position);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), u16(45), common, sizes(zip64), u16(name.length), u16(extra.length), u16(0), u16(0), u16(0), u32(0), place, Buffer.from(name), extra]));
    parts.push(local);
    position += local.length;
  }
  const central = Buffer.concat(directory);
  const count = directory.length;
  const end64 = Buffer.concat([Buffer.from('PK\x06\x06'), u64(44), u16(45), u16(45), u32(0), u32(0), u64(count), u64(count), u64(central.length), u64(position)]);
  const locator = Buffer.concat([Buffer.from('PK\x06\x07'), u32(0), u64(position + central.length), u32(1)]);
  const end = zip64
    ? Buffer.concat([end64, locator, Buffer.from('PK\x05\x06'), u16(0), u16(0), u16(0xffff), u16(0xffff), u32(0xffffffff), u32(0xffffffff), u16(0)])
    : Buffer.concat([Buffer.from('PK\x05\x06'), u16(0), u16(0), u16(count), u16(count), u32(central.length), u32(position), u16(0)]);
  return Buffer.concat([...parts, central, end]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
