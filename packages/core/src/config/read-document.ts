import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Alias, type Document, type Node, type ParsedNode } from 'yaml';
import type { ConfigEntry, ConfigNode, ConfigProblem, Origin } from './config-tree.js';
import { DEPTH_LIMIT, tooDeepAt } from './nesting.js';

/** Aliases are followed; a document that unfolds to more nodes than this is a mistake or an attack. */
const NODE_LIMIT = 100_000;
const SET_TWICE = 'this key is set twice in one map; keep one of them';
const TOO_DEEP = `this is nested deeper than ${DEPTH_LIMIT} levels`;

/** A path as people know it: relative to the working directory if it lies inside. */
export function shownPath(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') || isAbsolute(near) ? file : near;
}

/** Reads a YAML file into a tree. Mistakes go to `problems`; then there may be no tree. */
export function readDocument(file: string, problems: ConfigProblem[]): ConfigNode | undefined {
  const place = shownPath(file);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reasons: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'this is a folder, a YAML file is expected', EACCES: 'permission denied' };
    problems.push({ place, path: [], text: reasons[code ?? ''] ?? (cause as Error).message });
    return undefined;
  }
  const node = readYaml(text, (line, column) => ({ place: `${place}:${line}:${column}`, folder: dirname(file) }), problems);
  if (node === undefined || node.kind === 'map') return node;
  if (node.kind === 'scalar' && node.value === null) problems.push({ place, path: [], text: 'the file is empty, a map of settings is expected' });
  else problems.push({ place: node.origin.place, path: [], text: `the file holds a ${node.kind === 'list' ? 'list' : 'single value'}, a map of settings is expected` });
  return undefined;
}

/** Parses YAML text into a tree; `originAt` turns lines and columns, from 1, into places. */
export function readYaml(text: string, originAt: (line: number, column: number) => Origin, problems: ConfigProblem[]): ConfigNode | undefined {
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    const before = text.slice(0, deep).split('\n');
    problems.push({ place: originAt(before.length, (before.at(-1)?.length ?? 0) + 1).place, path: [], text: TOO_DEEP });
    return undefined;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', stringKeys: false });
  const originOf = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return originAt(Math.max(line, 1), Math.max(col, 1));
  };
  for (const error of [...document.errors, ...document.warnings]) {
    problems.push({ place: originOf(error.pos[0]).place, path: [], text: mended(error.code, error.message) });
  }
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  const before = problems.length;
  const node = new Unfolding(document, originOf, problems).convert(document.contents);
  return problems.length > before ? undefined : node;
}

/** The parser's message, with the remedy for the mistakes that people make most. */
function mended(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return SET_TWICE;
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML allows blanks only';
  if (code === 'MULTIPLE_DOCS') return `a second document starts here; one file holds one configuration`;
  return `this is not valid YAML: ${message}`;
}

/** Turns a parsed document into a tree of plain nodes, aliases followed. */
class Unfolding {
  private nodes = 0;
  private stopped = false;
  private readonly open = new Set<Node>();
  private readonly targets: ReadonlyMap<Alias, Node>;

  constructor(
    document: Document.Parsed,
    private readonly originOf: (offset: number) => Origin,
    private readonly problems: ConfigProblem[],
  ) {
    this.targets = aliasTargets(document);
  }

  convert(node: Node | ParsedNode | null | undefined): ConfigNode {
    const origin = this.originOf(node?.range?.[0] ?? 0);
    const nothing: ConfigNode = { kind: 'scalar', origin, value: null };
    const refused = (text: string): ConfigNode => {
      this.problems.push({ place: origin.place, path: [], text });
      return nothing;
    };
    // One message, not one for every way that leads there.
    const stop = (text: string): ConfigNode => {
      this.stopped = true;
      return refused(text);
    };
    if (this.stopped) return nothing;
    if (++this.nodes > NODE_LIMIT) return stop('the aliases of this file unfold to too many values');
    if (isAlias(node)) {
      const target = this.targets.get(node);
      if (target === undefined) return refused(`no anchor '&${node.source}' stands before this alias`);
      if (this.open.has(target)) return refused(`the alias '*${node.source}' contains itself`);
      return this.convert(target);
    }
    if (node === null || node === undefined) return nothing;
    // Aliases may lead deeper than the text itself is nested.
    if (this.open.size >= DEPTH_LIMIT) return stop(TOO_DEEP);
    this.open.add(node);
    try {
      if (isSeq(node)) return { kind: 'list', origin, items: node.items.map((item) => this.convert(item as Node | null)) };
      if (!isMap(node)) return isScalar(node) ? scalar(node.value, origin, refused) : refused('this value cannot be read');
      const entries = new Map<string, ConfigEntry>();
      for (const { key, value } of node.items) {
        const keyNode = isAlias(key) ? this.targets.get(key) : key;
        const at = this.originOf((key as Node | null)?.range?.[0] ?? node.range?.[0] ?? 0);
        if (!isScalar(keyNode) || keyNode.value === null || typeof keyNode.value === 'object') {
          this.problems.push({ place: at.place, path: [], text: 'a key must be a single word' });
          continue;
        }
        const child = value === null ? ({ kind: 'scalar', origin: at, value: null } as const) : this.convert(value as Node);
        const name = String(keyNode.value);
        // The parser tells of equal keys; `1` and '1', or a key and an alias of it, become equal here.
        if (entries.has(name)) this.problems.push({ place: at.place, path: [], text: SET_TWICE });
        entries.set(name, { key: at, node: child });
      }
      return { kind: 'map', origin, entries };
    } finally {
      this.open.delete(node);
    }
  }
}

/** What each alias stands for: the last node before it with its anchor. */
function aliasTargets(document: Document.Parsed): Map<Alias, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_key, alias) {
      const target = anchored.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value(_key, node) {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return targets;
}

function scalar(value: unknown, origin: Origin, refused: (text: string) => ConfigNode): ConfigNode {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', origin, value };
  return refused('this kind of value is not used in configurations');
}
