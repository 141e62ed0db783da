import type { ConfigEntry, ConfigMap, ConfigNode, ConfigPath, ConfigProblem, Origin } from './config-tree.js';
import { readYaml } from './read-document.js';

/**
 * Lays overrides `a.b.0.c=value` on a tree. The value is read as YAML and replaces what stood there; maps that lie on the
 * way are made. Whether the key may exist is for the schema to say.
 * @param folder what relative paths in the values mean
 */
export function applyOverrides(root: ConfigMap, overrides: readonly string[], folder: string, problems: ConfigProblem[]): ConfigMap {
  let tree: ConfigMap = root;
  for (const override of overrides) {
    const origin: Origin = { place: `--set ${override}`, folder };
    const split = override.indexOf('=');
    const path = override.slice(0, split).trim().split('.');
    if (split <= 0 || path.some((step) => step === '')) {
      problems.push({ place: origin.place, path: [], text: `an override reads KEY.KEY=VALUE, as in --set train.batch=64` });
      continue;
    }
    if (path[0] === 'extends') {
      problems.push({ place: origin.place, path: ['extends'], text: 'files are merged before overrides are applied; name another file or preset instead' });
      continue;
    }
    const found: ConfigProblem[] = [];
    const value = readYaml(override.slice(split + 1), () => origin, found);
    problems.push(...found.map((problem) => ({ ...problem, path })));
    if (value === undefined) continue;
    const changed = placed(tree, path, 0, value, origin, problems);
    if (changed !== undefined) tree = changed as ConfigMap;
  }
  return tree;
}

/** `node` with `value` at `path` from step `depth` on, or undefined if the path leads nowhere. */
function placed(node: ConfigNode | undefined, path: ConfigPath, depth: number, value: ConfigNode, origin: Origin, problems: ConfigProblem[]): ConfigNode | undefined {
  const step = path[depth];
  if (step === undefined) return value;
  const refuse = (text: string): undefined => {
    problems.push({ place: origin.place, path: path.slice(0, depth), text });
  };
  const isAbsent = node === undefined || (node.kind === 'scalar' && node.value === null);
  if (isAbsent && step === '0') node = { kind: 'list', origin, items: [] };
  if (node?.kind === 'list') {
    const index = /^\d+$/.test(String(step)) ? Number(step) : -1;
    if (index < 0 || index > node.items.length) {
      const range = node.items.length === 0 ? 'it is empty; 0 adds a first one' : `it has items 0 to ${node.items.length - 1}`;
      return refuse(`this is a list, got '${step}', expected the number of an item; ${range}`);
    }
    const item = placed(node.items[index], path, depth + 1, value, origin, problems);
    return item === undefined ? undefined : { ...node, items: [...node.items.slice(0, index), item, ...node.items.slice(index + 1)] };
  }
  if (node?.kind === 'scalar' && !isAbsent) return refuse(`this is the single value ${JSON.stringify(node.value)}, it has no key '${step}'`);
  const entries = new Map<string, ConfigEntry>(node?.kind === 'map' ? node.entries : []);
  const child = placed(entries.get(String(step))?.node, path, depth + 1, value, origin, problems);
  if (child === undefined) return undefined;
  // The key keeps its own place unless the override made it.
  entries.set(String(step), { key: entries.get(String(step))?.key ?? origin, node: child });
  return { kind: 'map', origin: node?.origin ?? origin, entries };
}
