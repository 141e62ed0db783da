import type { FileHandle } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { sizeOfShape } from '../tensors.js';
import { ELEMENT_TYPES, isFileDType, type FileDType } from './element-types.js';
import { readBytes, withFile } from './file-access.js';

/** Where one tensor lies. Offsets count from the end of the header. */
export interface SafetensorsEntry {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: Readonly<Record<string, SafetensorsEntry>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Position in the file of offset 0. */
  readonly dataStart: number;
}

/** Longest header that the official library accepts. */
const HEADER_LIMIT = 100_000_000;
const NOT_OURS = 'This is no safetensors file, or it is damaged; copy or download it again.';

/**
 * Reads and checks the header of a safetensors file against the size of the file.
 * @throws CheckpointError naming the file and what is wrong with it.
 */
export const readSafetensorsHeader = (path: string): Promise<SafetensorsHeader> => withFile(path, (file, size) => headerOf(path, file, size));

/** @internal the same for a file that is already open */
export async function headerOf(path: string, file: FileHandle, fileSize: number): Promise<SafetensorsHeader> {
  const refuse = (problem: string, remedy = NOT_OURS): never => {
    throw new CheckpointError(problem, { place: path, remedy });
  };
  if (fileSize < 8) refuse(`the file has ${fileSize} bytes, too few for a safetensors header`);
  const length = Number(new DataView(await readBytes(file, 0, 8)).getBigUint64(0, true));
  if (length > HEADER_LIMIT) refuse(`the header would be ${length} bytes long`);
  if (8 + length > fileSize) refuse(`the header would be ${length} bytes long, the file has ${fileSize} bytes`);
  const text = new TextDecoder().decode(await readBytes(file, 8, length));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse('the header is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse('the header is not a JSON object');
  const { __metadata__, ...rest } = json as Record<string, unknown>;
  const entries: [string, SafetensorsEntry][] = [];
  for (const [name, value] of Object.entries(rest)) {
    const entry = parseEntry(value);
    if (typeof entry === 'string') throw new CheckpointError(`tensor '${name}': ${entry}`, { place: path, remedy: NOT_OURS });
    entries.push([name, entry]);
  }
  checkCoverage(entries, fileSize - 8 - length, refuse);
  return { entries: Object.fromEntries(entries), metadata: parseMetadata(__metadata__, refuse), dataStart: 8 + length };
}

/** The entry, or what is wrong with it. */
function parseEntry(value: unknown): SafetensorsEntry | string {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string') return 'the entry has no dtype';
  if (!isFileDType(dtype)) return `element type ${dtype} is not known; known are ${Object.keys(ELEMENT_TYPES).join(', ')}`;
  if (!isCounts(shape)) return 'the entry has no shape';
  if (!isCounts(offsets) || offsets.length !== 2) return 'the entry has no data_offsets';
  const [begin, end] = offsets as [number, number];
  const bytes = sizeOfShape(shape) * ELEMENT_TYPES[dtype].bytes;
  if (end - begin !== bytes) return `shape [${shape.join(', ')}] of ${dtype} needs ${bytes} bytes, the entry has ${end - begin}`;
  return { dtype, shape, begin, end };
}

const isCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

/** Tensors must lie end to end and fill the file: holes and overlaps are how damaged and hostile files show. */
function checkCoverage(entries: readonly [string, SafetensorsEntry][], dataSize: number, refuse: (problem: string, remedy?: string) => never): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  let before = 'the header';
  for (const [name, { begin, end }] of sorted) {
    if (begin < position) refuse(`tensors '${before}' and '${name}' overlap`);
    if (begin > position) refuse(`${begin - position} bytes between '${before}' and '${name}' belong to no tensor`);
    position = end;
    before = name;
  }
  if (position > dataSize) refuse(`the file is cut short: its tensors need ${position} bytes, it holds ${dataSize}`, 'Copy or download it again.');
  if (position < dataSize) refuse(`${dataSize - position} bytes after the last tensor belong to no tensor`);
}

function parseMetadata(value: unknown, refuse: (problem: string) => never): Record<string, string> {
  if (value === undefined) return {};
  const metadata = value as Record<string, string>;
  if (typeof value !== 'object' || value === null || Object.values(value).some((text) => typeof text !== 'string')) refuse('__metadata__ must map strings to strings');
  return metadata;
}
