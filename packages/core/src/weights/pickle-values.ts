import type { FileDType } from './element-types.js';

/** A typed stretch of memory in an archive, not read yet. */
export class StorageRef {
  constructor(
    /** Name of its entry under `data/`. */
    readonly key: string,
    readonly dtype: FileDType,
    /** Elements. */
    readonly length: number,
  ) {}
}

/** A strided view of a storage; offset and strides in elements. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Stands for any class or function that is not known here, and for whatever it would have made. Nothing is ever called. */
export class Inert {
  constructor(readonly name: string) {}
}

/** What a restricted pickle can hold. Tuples are lists. */
export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleValue[] | Map<unknown, PickleValue> | StorageRef | TensorRef | Inert | Callable;

/** The few functions that are understood; they only arrange values. Undefined where the arguments are not understood. */
export class Callable {
  constructor(
    readonly name: string,
    readonly apply: (args: readonly PickleValue[]) => PickleValue | undefined,
  ) {}
}

/** Names of torch's typed storages. */
const STORAGE_TYPES: Readonly<Record<string, FileDType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const isIndex = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isIndices = (value: unknown): value is number[] => Array.isArray(value) && value.every(isIndex);

function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): PickleValue | undefined {
  if (!(storage instanceof StorageRef) || !isIndex(offset) || !isIndices(shape) || !isIndices(strides)) return undefined;
  return shape.length === strides.length ? new TensorRef(storage, offset, shape, strides) : undefined;
}

const emptyMap = (args: readonly PickleValue[]): PickleValue => {
  const pairs = args.find((arg) => Array.isArray(arg));
  return new Map(Array.isArray(pairs) ? pairs.filter((pair): pair is [PickleValue, PickleValue] => Array.isArray(pair) && pair.length === 2) : []);
};

const KNOWN: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue | undefined>> = {
  'collections.OrderedDict': emptyMap,
  'collections.defaultdict': emptyMap,
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
  // A tensor with attributes of its own, or of a subclass: (function, class, arguments, attributes).
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) => (rebuild instanceof Callable && Array.isArray(args) ? rebuild.apply(args) : undefined),
  'torch.Size': ([sides]) => sides,
};

/** What a name in a pickle means: one of the few understood functions, or something inert. */
export function globalValue(module: string, name: string): Callable | Inert {
  const full = `${module}.${name}`;
  const known = Object.hasOwn(KNOWN, full) ? KNOWN[full] : undefined;
  return known === undefined ? new Inert(full) : new Callable(full, known);
}

/** What a persistent id `('storage', type, key, location, length)` means. */
export function persistentValue(id: PickleValue): StorageRef | Inert {
  if (!Array.isArray(id) || id[0] !== 'storage') return new Inert('persistent id');
  const [, type, key, , length] = id;
  const typeName = type instanceof Inert && type.name.startsWith('torch.') ? type.name.slice('torch.'.length) : '';
  const dtype = Object.hasOwn(STORAGE_TYPES, typeName) ? STORAGE_TYPES[typeName] : undefined;
  if (dtype === undefined || typeof key !== 'string' || !isIndex(length)) return new Inert(`storage ${typeName}`);
  return new StorageRef(key, dtype, length);
}

/** What applying `callee` gives. Only understood functions are applied; everything else stays inert. */
export function applied(callee: PickleValue, args: PickleValue): PickleValue {
  const name = callee instanceof Callable || callee instanceof Inert ? callee.name : 'a value';
  if (!(callee instanceof Callable) || !Array.isArray(args)) return new Inert(name);
  return callee.apply(args) ?? new Inert(name);
}
