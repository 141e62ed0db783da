import { z } from 'zod';
import type { ConfigPath } from './config-tree.js';

type Schema = z.core.$ZodType;

/** The keys that a schema knows for the map at `path` of `value`; of several alternatives, those that `value` could still mean. */
export function knownKeys(schema: Schema, path: ConfigPath, value: unknown): string[] {
  return [...new Set(schemasAt(schema, path, value).flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : [])))];
}

function schemasAt(schema: Schema, path: ConfigPath, value: unknown): Schema[] {
  const plain = unwrapped(schema, value);
  const [step, ...rest] = path;
  if (step === undefined) return plain;
  const inner = (value as Record<string | number, unknown> | undefined)?.[step];
  return plain.flatMap((found) => {
    const child = childOf(found, step);
    return child === undefined ? [] : schemasAt(child, rest, inner);
  });
}

function childOf(schema: Schema, step: string | number): Schema | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, Schema>)[String(step)];
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (schema instanceof z.ZodTuple) return schema.def.items[Number(step)];
  return undefined;
}

/** Takes defaults, optionals and the like off, and opens unions. */
function unwrapped(schema: Schema, value: unknown): Schema[] {
  if (schema instanceof z.ZodUnion) {
    const options = (schema.options as readonly Schema[]).flatMap((option) => unwrapped(option, value));
    const meant = options.filter((option) => agrees(option, value));
    return meant.length > 0 ? meant : options;
  }
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in, value);
  if (schema instanceof z.ZodLazy) return unwrapped(schema.unwrap(), value);
  if (schema instanceof z.ZodIntersection) return [...unwrapped(schema.def.left, value), ...unwrapped(schema.def.right, value)];
  const inner = (schema._zod.def as unknown as { innerType?: Schema }).innerType;
  return inner === undefined ? [schema] : unwrapped(inner, value);
}

/** Every literal of the object (its discriminators) has the value that is given. */
function agrees(schema: Schema, value: unknown): boolean {
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null) return false;
  return Object.entries(schema.shape as Record<string, Schema>).every(([key, field]) => {
    const given = (value as Record<string, unknown>)[key];
    return !(field instanceof z.ZodLiteral) || given === undefined || field.values.has(given as string);
  });
}

/** Whether a schema is a strict object: one that refuses keys it does not know. Undefined for anything but plain objects. */
export function isStrictObject(schema: Schema): boolean | undefined {
  return schema instanceof z.ZodObject ? schema.def.catchall?._zod.def.type === 'never' : undefined;
}
