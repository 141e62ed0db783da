import { countCost, type Cost, type Count } from '../cost/count-cost.js';
import { memoryJson, memoryReport, memoryTables } from '../cost/memory-report.js';
import { loadRunContext } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';

export interface FlopsOptions {
  readonly set: readonly string[];
  readonly json?: boolean;
  readonly count: Count;
  /** Memory of a training step in place of operations. */
  readonly memory?: boolean;
}

const GIGA = 1e9;
const inGiga = (parts: Readonly<Record<string, number>>): Record<string, number> => Object.fromEntries(Object.entries(parts).map(([name, macs]) => [name, macs / GIGA]));

/** Prints what one image costs, or what a training step holds in memory. */
export async function flops(config: string, { set, json, count, memory }: FlopsOptions, terminal: Terminal): Promise<void> {
  const context = await loadRunContext(config, set);
  if (memory === true) {
    const report = await memoryReport(context);
    const lines = json === true ? [JSON.stringify(memoryJson(report), null, 2)] : memoryTables(report);
    for (const line of lines) terminal.out(line);
    return;
  }
  const { composition } = context;
  const cost = countCost(composition, count);
  if (json === true) {
    terminal.out(JSON.stringify({ total: cost.total / GIGA, unwrapped: cost.unwrapped.total / GIGA, ratio: cost.ratio, parts: inGiga(cost.parts) }, null, 2));
    return;
  }
  for (const line of costTable(cost)) terminal.out(line);
}

/** The cost as a table: part by part, wrapped beside unwrapped. */
export function costTable({ count, parts, total, unwrapped, ratio }: Cost): string[] {
  const names = [...new Set([...Object.keys(parts), ...Object.keys(unwrapped.parts)])];
  const cell = (macs: number | undefined): string => (macs === undefined ? '-' : (macs / GIGA).toFixed(4)).padStart(11);
  const row = (name: string, first: number | undefined, second: number | undefined): string => `${name.padEnd(14)}${cell(first)}${cell(second)}`;
  const note = { paper: 'all patches embedded, every decoder token predicted, as the tables of the paper count', executed: 'the graph that trains' }[count];
  return [
    `Forward pass of one image, G multiply-accumulates (${count}: ${note})`,
    `${'part'.padEnd(14)}${'wrapped'.padStart(11)}${'unwrapped'.padStart(11)}`,
    ...names.map((name) => row(name, parts[name], unwrapped.parts[name])),
    row('total', total, unwrapped.total),
    `ratio ${ratio.toFixed(3)}; formula and recorded graph agree in every part`,
  ];
}
