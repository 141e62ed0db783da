/**
 * Sorts parameter names the way PyTorch lists a state dict: at every level of the dotted names a module's own
 * parameters come before its sub-modules; otherwise the given order is kept.
 */
export function stateDictOrder(names: readonly string[]): string[] {
  return ordered(names.map((name) => ({ name, path: name.split('.') })), 0);
}

interface Entry {
  readonly name: string;
  readonly path: readonly string[];
}

/** A layer's own tensors (`weight`, `bias`) and the parameters of the model itself are both leaves of their level. */
function ordered(entries: readonly Entry[], level: number): string[] {
  const own = entries.filter(({ path }) => path.length === level + 1).map(({ name }) => name);
  const children = new Map<string, Entry[]>();
  for (const entry of entries) {
    const child = entry.path[level];
    if (entry.path.length === level + 1 || child === undefined) continue;
    const siblings = children.get(child);
    if (siblings === undefined) children.set(child, [entry]);
    else siblings.push(entry);
  }
  return [...own, ...[...children.values()].flatMap((group) => ordered(group, level + 1))];
}
