import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepGraph } from './step-graph.js';

/** Compiled step graphs on the disk, by a key that determines them (step-cache-compiler.ts). */
export interface StepCache {
  /** The graph of this key; undefined if there is none, or a damaged one, which is removed. */
  load(key: string): StepGraph | undefined;
  /** Keeps a graph. A disk that cannot be written is no error: the next start compiles again. */
  store(key: string, graph: StepGraph): void;
}

/** Where an entry begins; changed whenever its form is. */
const MAGIC = 'mimlab step 1\n';
const ENDING = '.step';
const SUM_BYTES = 32;
/** A process that was killed leaves its unfinished file; nobody writes one for longer. Milliseconds. */
const UNFINISHED_FOR = 3_600_000;

/**
 * A cache in a folder, which need not exist. Entries appear whole or not at all, so that several processes may share
 * it; every entry carries its SHA-256.
 * @param limit bytes of all entries; beyond them those go first that were not used for longest
 */
export function createStepCache(folder: string, limit: number): StepCache {
  const fileOf = (key: string): string => join(folder, `${key}${ENDING}`);
  return {
    load(key) {
      const file = fileOf(key);
      try {
        const graph = unpack(readFileSync(file), key);
        if (graph === undefined) rmSync(file, { force: true });
        // Its time is that of its last use.
        else utimesSync(file, new Date(), new Date());
        return graph;
      } catch {
        return undefined;
      }
    },
    store(key, graph) {
      const unfinished = join(folder, `.${key}-${randomUUID()}`);
      try {
        const bytes = pack(graph, key);
        if (bytes.length > limit) return;
        mkdirSync(folder, { recursive: true });
        writeFileSync(unfinished, bytes);
        renameSync(unfinished, fileOf(key));
        clear(folder, limit);
      } catch {
        try {
          rmSync(unfinished, { force: true });
        } catch {
          // The folder is out of reach: there is nothing to remove either.
        }
      }
    },
  };
}

const sumOf = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** Magic, SHA-256 of all that follows, length of the names, the names with the key as JSON, the graph. */
function pack({ graphDef, ...names }: StepGraph, key: string): Buffer {
  const text = Buffer.from(JSON.stringify({ key, names }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from(MAGIC), sumOf(length, text, graphDef), length, text, graphDef]);
}

function unpack(bytes: Buffer, key: string): StepGraph | undefined {
  const start = MAGIC.length + SUM_BYTES;
  if (bytes.length < start + 4 || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const payload = bytes.subarray(start);
  if (!sumOf(payload).equals(bytes.subarray(MAGIC.length, start))) return undefined;
  const end = 4 + payload.readUInt32LE(0);
  const stored = JSON.parse(payload.toString('utf8', 4, end)) as { readonly key: string; readonly names: Omit<StepGraph, 'graphDef'> };
  return stored.key === key ? { ...stored.names, graphDef: new Uint8Array(payload.subarray(end)) } : undefined;
}

/** Removes the entries that were not used for longest until the rest fits, and what killed processes left. */
function clear(folder: string, limit: number): void {
  const entries = readdirSync(folder)
    .flatMap((name) => {
      const path = join(folder, name);
      const facts = statSync(path, { throwIfNoEntry: false });
      return facts === undefined ? [] : [{ path, name, bytes: facts.size, used: facts.mtimeMs }];
    })
    .sort((a, b) => b.used - a.used);
  let bytes = 0;
  for (const { path, name, bytes: size, used } of entries) {
    if (name.endsWith(ENDING)) bytes += size;
    if (name.endsWith(ENDING) ? bytes > limit : name.startsWith('.') && Date.now() - used > UNFINISHED_FOR) rmSync(path, { force: true });
  }
}
