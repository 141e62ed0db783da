import type { Params } from '@mimlab/core';

/**
 * Parameters of the network inside an encoder (`Encoder.trunk`): names without the encoder's prefix. Where tokens are read in
 * several places, through `norm.0`, `norm.1`, ..., the last of these norms is the final one.
 */
export function trunkParams(params: Params, prefix = ''): Params {
  const own = Object.entries(params).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : []));
  const last = Math.max(-1, ...own.map(([name]) => Number(/^norm\.(\d+)\./.exec(name)?.[1] ?? -1)));
  return Object.fromEntries(own.map(([name, value]) => [last >= 0 && name.startsWith(`norm.${last}.`) ? name.replace(`.${last}.`, '.') : name, value]));
}
