/** A pickle by hand: enough of protocol 2 to write what torch.save writes, and what it never would. */
export class Global {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
}
/** `callee(*args)`, as REDUCE says it. */
export class Reduce {
  constructor(
    readonly callee: unknown,
    readonly args: readonly unknown[],
    /** What BUILD adds. */
    readonly state?: unknown,
  ) {}
}
/** A persistent id. */
export class Persistent {
  constructor(readonly id: readonly unknown[]) {}
}
/** Bytes put in as they are. */
export class Raw {
  constructor(readonly bytes: readonly number[]) {}
}

const int32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
const ascii = (text: string): number[] => [...Buffer.from(text)];

/** Arrays become tuples, maps dictionaries, numbers BININT or BINFLOAT. */
function encode(value: unknown): number[] {
  if (value === null) return [0x4e];
  if (value === true) return [0x88];
  if (value === false) return [0x89];
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return [0x4a, ...int32(value)];
    const float = Buffer.alloc(8);
    float.writeDoubleBE(value);
    return [0x47, ...float];
  }
  if (typeof value === 'string') return [0x58, ...int32(Buffer.byteLength(value)), ...ascii(value)];
  if (value instanceof Global) return [0x63, ...ascii(`${value.module}\n${value.name}\n`)];
  if (value instanceof Reduce) return [...encode(value.callee), ...encode(value.args), 0x52, ...(value.state === undefined ? [] : [...encode(value.state), 0x62])];
  if (value instanceof Persistent) return [...encode(value.id), 0x51];
  if (value instanceof Raw) return [...value.bytes];
  if (value instanceof Map) return [0x7d, 0x28, ...[...value].flatMap(([key, item]) => [...encode(key), ...encode(item)]), 0x75];
  if (Array.isArray(value)) return [0x28, ...value.flatMap(encode), 0x74];
  throw new Error(`cannot pickle ${String(value)}`);
}

export const pickle = (value: unknown): Uint8Array => Uint8Array.from([0x80, 2, ...encode(value), 0x2e]);

/** A tensor as torch.save writes it. */
export const tensor = (key: string, shape: readonly number[], options: { type?: string; strides?: readonly number[]; offset?: number; length?: number } = {}): Reduce => {
  const { type = 'FloatStorage', offset = 0 } = options;
  const strides = options.strides ?? shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const length = options.length ?? shape.reduce((a, b) => a * b, 1);
  const storage = new Persistent(['storage', new Global('torch', type), key, 'cpu', length]);
  return new Reduce(new Global('torch._utils', '_rebuild_tensor_v2'), [storage, offset, shape, strides, false, new Reduce(new Global('collections', 'OrderedDict'), [])]);
};
