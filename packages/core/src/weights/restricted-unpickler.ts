import { applied, globalValue, Inert, persistentValue, type PickleValue } from './pickle-values.js';

/** Where the current list of items on the stack starts. */
const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;

/**
 * Reads a pickle (protocols 2 to 5) as data. The instructions that build values are carried out; those that would import
 * or call something yield understood tensors and dictionaries (see pickle-values.ts) or inert placeholders. No name
 * from the file ever reaches an `import`, a property access or a call.
 *
 * @throws Error if the bytes are no pickle, are cut short, or use an instruction that torch does not write.
 */
export function unpickle(bytes: Uint8Array): PickleValue {
  const machine = new Machine(bytes);
  for (;;) {
    const code = machine.byte();
    if (code === 0x2e /* STOP */) return machine.pop();
    const instruction = INSTRUCTIONS[code];
    if (instruction === undefined) throw new Error(`the pickle uses instruction 0x${code.toString(16).padStart(2, '0')}, which is not supported`);
    instruction(machine);
  }
}

class Machine {
  private position = 0;
  private readonly stack: Slot[] = [];
  private readonly view: DataView;
  private readonly memo = new Map<number, PickleValue>();

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): Uint8Array {
    if (!(length >= 0 && this.position + length <= this.bytes.length)) throw new Error('the pickle is cut short');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  private at(length: number): number {
    this.take(length);
    return this.position - length;
  }

  byte = (): number => this.view.getUint8(this.at(1));
  uint16 = (): number => this.view.getUint16(this.at(2), true);
  int32 = (): number => this.view.getInt32(this.at(4), true);
  uint32 = (): number => this.view.getUint32(this.at(4), true);
  uint64 = (): number => Number(this.view.getBigUint64(this.at(8), true));
  float64 = (): number => this.view.getFloat64(this.at(8), false);
  text = (length: number): string => new TextDecoder().decode(this.take(length));

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new Error('the pickle is cut short');
    const text = this.text(end - this.position);
    this.take(1);
    return text;
  }

  push(value: Slot): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw new Error('the pickle takes a value that is not there');
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  /** Everything above the last mark. */
  sinceMark(): PickleValue[] {
    const start = this.stack.lastIndexOf(MARK);
    if (start < 0) throw new Error('the pickle takes a mark that is not there');
    const items = this.stack.splice(start) as PickleValue[];
    return items.slice(1);
  }

  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new Error('the pickle refers to a value that is not there');
    this.push(value);
  }
}

/** Appends to what is a list; placeholders swallow what they are given. */
function append(target: PickleValue, items: readonly PickleValue[]): void {
  if (Array.isArray(target)) for (const item of items) target.push(item);
}

function setItems(target: PickleValue, items: readonly PickleValue[]): void {
  if (target instanceof Map) for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i], items[i + 1] as PickleValue);
}

/** Two's complement, little-endian. Read from hexadecimal digits, in a time that grows as their number does. */
function long(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  const signed = BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

const latin = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

/** Applies what lies below the arguments on the stack. */
function reduce(m: Machine): void {
  const args = m.pop();
  m.push(applied(m.pop(), args));
}

const INSTRUCTIONS: Readonly<Record<number, (m: Machine) => void>> = {
  0x80: (m) => void m.byte(), // PROTO
  0x95: (m) => void m.take(8), // FRAME
  0x28: (m) => m.push(MARK),
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.sinceMark(), // POP_MARK
  0x32: (m) => m.push(m.top()), // DUP
  0x4e: (m) => m.push(null),
  0x88: (m) => m.push(true),
  0x89: (m) => m.push(false),
  0x4a: (m) => m.push(m.int32()), // BININT
  0x4b: (m) => m.push(m.byte()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x8a: (m) => m.push(long(m.take(m.byte()))), // LONG1
  0x8b: (m) => m.push(long(m.take(m.uint32()))), // LONG4
  0x47: (m) => m.push(m.float64()), // BINFLOAT
  0x58: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.byte())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  0x54: (m) => m.push(latin(m.take(m.uint32()))), // BINSTRING
  0x55: (m) => m.push(latin(m.take(m.byte()))), // SHORT_BINSTRING
  0x42: (m) => m.push(m.take(m.uint32())), // BINBYTES
  0x43: (m) => m.push(m.take(m.byte())), // SHORT_BINBYTES
  0x8e: (m) => m.push(m.take(m.uint64())), // BINBYTES8
  0x96: (m) => m.push(m.take(m.uint64())), // BYTEARRAY8
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.push(m.sinceMark()), // TUPLE
  0x85: (m) => m.push(m.popMany(1)),
  0x86: (m) => m.push(m.popMany(2)),
  0x87: (m) => m.push(m.popMany(3)),
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x6c: (m) => m.push(m.sinceMark()), // LIST
  0x61: (m) => {
    const item = m.pop(); // APPEND
    append(m.top(), [item]);
  },
  0x65: (m) => {
    const items = m.sinceMark(); // APPENDS
    append(m.top(), items);
  },
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x64: (m) => {
    const dict = new Map<unknown, PickleValue>(); // DICT
    setItems(dict, m.sinceMark());
    m.push(dict);
  },
  0x73: (m) => {
    const items = m.popMany(2); // SETITEM
    setItems(m.top(), items);
  },
  0x75: (m) => {
    const items = m.sinceMark(); // SETITEMS
    setItems(m.top(), items);
  },
  0x8f: (m) => m.push([]), // EMPTY_SET
  0x90: (m) => {
    const items = m.sinceMark(); // ADDITEMS
    append(m.top(), items);
  },
  0x91: (m) => m.push(m.sinceMark()), // FROZENSET
  0x63: (m) => m.push(globalValue(m.line(), m.line())), // GLOBAL
  0x93: (m) => {
    const [module, name] = m.popMany(2); // STACK_GLOBAL
    m.push(globalValue(String(module), String(name)));
  },
  0x52: reduce, // REDUCE
  0x81: reduce, // NEWOBJ
  0x92: (m) => {
    m.pop(); // NEWOBJ_EX: keyword arguments are for classes, and those are inert
    reduce(m);
  },
  0x62: (m) => void m.pop(), // BUILD: attributes of an object; nothing here has any
  0x69: (m) => {
    const name = `${m.line()}.${m.line()}`; // INST
    m.sinceMark();
    m.push(new Inert(name));
  },
  0x6f: (m) => {
    const [callee] = m.sinceMark(); // OBJ
    m.push(new Inert(callee instanceof Inert ? callee.name : 'object'));
  },
  0x51: (m) => m.push(persistentValue(m.pop())), // BINPERSID
  0x68: (m) => m.get(m.byte()), // BINGET
  0x6a: (m) => m.get(m.uint32()), // LONG_BINGET
  0x71: (m) => m.put(m.byte()), // BINPUT
  0x72: (m) => m.put(m.uint32()), // LONG_BINPUT
  0x94: (m) => m.memoize(),
};
