import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DATA_TYPE, type GraphType } from '../tensorflow/data-types.js';

/** Writes the inside of a tensorflow.AttrValue (tensorflow/core/framework/attr_value.proto). */
export type Attribute = (writer: BinaryWriter) => BinaryWriter;

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;
export const tag = (field: number, wireType: 0 | 2 | 5): number => (field << 3) | wireType;

const writeShape = (writer: BinaryWriter, shape: readonly number[]): BinaryWriter => {
  for (const side of shape) writer.uint32(tag(2, BYTES)).fork().uint32(tag(1, VARINT)).int64(side).join();
  return writer;
};

export const ofType = (type: GraphType): Attribute => (writer) => writer.uint32(tag(6, VARINT)).int32(DATA_TYPE[type]);
export const ofBool = (value: boolean): Attribute => (writer) => writer.uint32(tag(5, VARINT)).bool(value);
export const ofInt = (value: number): Attribute => (writer) => writer.uint32(tag(3, VARINT)).int64(value);
export const ofFloat = (value: number): Attribute => (writer) => writer.uint32(tag(4, FIXED32)).float(value);
export const ofString = (value: string): Attribute => (writer) => writer.uint32(tag(2, BYTES)).string(value);
export const ofShape = (shape: readonly number[]): Attribute => (writer) =>
  writeShape(writer.uint32(tag(7, BYTES)).fork(), shape).join();

/** Any list attribute; `item` writes the elements into the ListValue. */
const listOf = (items: (writer: BinaryWriter) => void): Attribute => (writer) => {
  writer.uint32(tag(1, BYTES)).fork();
  items(writer);
  return writer.join();
};
export const ofStrings = (values: readonly string[]): Attribute =>
  listOf((writer) => values.forEach((value) => writer.uint32(tag(2, BYTES)).string(value)));
export const ofInts = (values: readonly number[]): Attribute =>
  listOf((writer) => values.forEach((value) => writer.uint32(tag(3, VARINT)).int64(value)));
export const ofTypes = (types: readonly GraphType[]): Attribute =>
  listOf((writer) => types.forEach((type) => writer.uint32(tag(6, VARINT)).int32(DATA_TYPE[type])));

/** A tensor with its elements as bytes, row-major, little-endian. */
export const ofTensor = (bytes: Uint8Array, shape: readonly number[], type: GraphType): Attribute => (writer) => {
  writer.uint32(tag(8, BYTES)).fork().uint32(tag(1, VARINT)).int32(DATA_TYPE[type]);
  writeShape(writer.uint32(tag(2, BYTES)).fork(), shape).join();
  return writer.uint32(tag(4, BYTES)).bytes(bytes).join();
};
