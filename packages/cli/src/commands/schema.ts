import { writeFile } from 'node:fs/promises';
import { jsonSchema, type Plugin } from '@mimlab/core';
import { openRegistry, SECTIONS } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';

/** Prints, or writes, the JSON Schema of configurations with every plugin that is installed. */
export async function schema({ output }: { readonly output?: string }, terminal: Terminal): Promise<void> {
  const registry = openRegistry();
  const plugins: Plugin[] = [];
  for (const { name, problem } of await registry.list()) {
    if (name === undefined || problem !== undefined) continue;
    plugins.push((await registry.load(name)).plugin);
  }
  const text = JSON.stringify(jsonSchema({ sections: SECTIONS, plugins }), null, 2);
  if (output === undefined) {
    terminal.out(text);
    return;
  }
  await writeFile(output, `${text}\n`);
  terminal.note(`Wrote ${output}. Put this at the top of a configuration for completion and checks in editors:`);
  terminal.note(`# yaml-language-server: $schema=${output}`);
}
