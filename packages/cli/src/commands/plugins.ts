import type { InstalledPlugin } from '@mimlab/core';
import { openRegistry } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';

/** Lists the plugins that can be found, usable or not. */
export async function plugins({ json }: { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  const found = await openRegistry().list();
  if (json === true) {
    terminal.out(JSON.stringify(found, null, 2));
    return;
  }
  for (const line of pluginTable(found)) terminal.out(line);
}

export function pluginTable(found: readonly InstalledPlugin[]): string[] {
  if (found.length === 0) return ['No plugin is installed. Install one with npm, or name one by its path.'];
  const rows = found.map(({ name, kind, version, core, hooks, paper, package: packageName, problem }) =>
    problem === undefined
      ? [name ?? '?', kind ?? '?', version ?? '?', core ?? '?', hooks?.join(', ') ?? '?', paper ?? '?']
      : [packageName, 'cannot be used', version ?? '?', core ?? '?', problem.split('\n')[0] ?? '', ''],
  );
  return aligned([['name', 'kind', 'version', 'core', 'hooks', 'paper'], ...rows]);
}

/** Columns as wide as their widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
