/**
 * A configuration as it was written: plain values, each with the place it came from, so that a mistake found after files
 * and overrides were merged can still be reported where a person has to mend it.
 */
export type ConfigNode = ConfigMap | ConfigList | ConfigScalar;

/** Where a value was written. */
export interface Origin {
  /** `file:line:column`, or the override as typed on the command line. */
  readonly place: string;
  /** Folder that relative paths in this value mean. */
  readonly folder: string;
}

export interface ConfigEntry {
  /** Where the key stands. */
  readonly key: Origin;
  readonly node: ConfigNode;
}

export interface ConfigMap {
  readonly kind: 'map';
  readonly origin: Origin;
  readonly entries: ReadonlyMap<string, ConfigEntry>;
}

export interface ConfigList {
  readonly kind: 'list';
  readonly origin: Origin;
  readonly items: readonly ConfigNode[];
}

export interface ConfigScalar {
  readonly kind: 'scalar';
  readonly origin: Origin;
  readonly value: string | number | boolean | null;
}

export type ConfigPath = readonly (string | number)[];

/** One mistake. `place` orders and locates it, `path` is the key it is about. */
export interface ConfigProblem {
  readonly place: string;
  readonly path: ConfigPath;
  readonly text: string;
}

/** The value without its places. */
export function toPlain(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.node)]));
}

/**
 * Lays `over` on `base`: maps merge key by key, everything else is replaced. A map that names another `plugin` replaces
 * the whole map below it, whose keys belonged to the other plugin.
 */
export function mergeNodes(base: ConfigNode, over: ConfigNode): ConfigNode {
  if (base.kind !== 'map' || over.kind !== 'map' || namesAnotherPlugin(base, over)) return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below === undefined ? entry : { key: entry.key, node: mergeNodes(below.node, entry.node) });
  }
  return { kind: 'map', origin: over.origin, entries };
}

function namesAnotherPlugin(base: ConfigMap, over: ConfigMap): boolean {
  const plugin = over.entries.get('plugin')?.node;
  const before = base.entries.get('plugin')?.node;
  return plugin?.kind === 'scalar' && before?.kind === 'scalar' && plugin.value !== before.value;
}

/** The node at a path, or undefined. */
export function nodeAt(root: ConfigNode, path: ConfigPath): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.node;
    else if (node?.kind === 'list') node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** Where the value at a path stands; for a value that is not there, where the nearest thing around it stands. */
export function originOf(root: ConfigNode, path: ConfigPath): Origin {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node === undefined) continue;
    // A missing key belongs to the map that lacks it, which a person knows by its own key.
    return length === path.length ? node.origin : keyOrigin(root, path.slice(0, length));
  }
  return root.origin;
}

/** Where the key (or list item) at a path stands. */
export function keyOrigin(root: ConfigNode, path: ConfigPath): Origin {
  const parent = nodeAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (parent?.kind === 'map' && last !== undefined) return parent.entries.get(String(last))?.key ?? parent.origin;
  return nodeAt(root, path)?.origin ?? root.origin;
}
