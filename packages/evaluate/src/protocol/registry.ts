import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean, PluginError } from '@mimlab/core';
import { classify } from '../protocols/classify.js';
import { finetune } from '../protocols/finetune.js';
import { knn } from '../protocols/knn.js';
import { linear } from '../protocols/linear.js';
import { partial } from '../protocols/partial.js';
import { robustness } from '../protocols/robustness.js';
import type { Protocol } from './protocol.js';

/** Built-in protocols, from the cheapest to the dearest. */
export const PROTOCOLS: readonly Protocol[] = [knn, linear, partial, finetune, classify, robustness] as readonly Protocol[];

/**
 * The protocol of a name, or the default export of a module that is named by its path (`./my-protocol.js`).
 * @throws PluginError if there is none
 */
export async function findProtocol(name: string): Promise<Protocol> {
  const built = PROTOCOLS.find((protocol) => protocol.name === name);
  if (built !== undefined) return built;
  const known = PROTOCOLS.map((protocol) => protocol.name);
  if (!/[\\/.]/.test(name)) throw new PluginError(`there is no protocol '${name}'${didYouMean(name, known)}`, { remedy: `Known: ${known.join(', ')}; one of your own is named by its path, as './my-protocol.js'.` });
  const path = resolve(name);
  if (!existsSync(path)) throw new PluginError('there is no such file', { place: path, remedy: 'Name the JavaScript file of the protocol.' });
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw new PluginError(`cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, cause });
  }
  if ((exported as Partial<Protocol> | undefined)?.kind !== 'protocol') throw new PluginError('its default export is no protocol', { place: path, remedy: `Export 'defineProtocol({...})' as default.` });
  return exported as Protocol;
}
