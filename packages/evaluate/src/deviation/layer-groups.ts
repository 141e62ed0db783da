import type { ParamSpecs } from '@mimlab/core';
import type { ParameterGroups } from './compare-gradients.js';

/** Groups in the order in which tables and figures have them; those without a parameter are left out. */
export const GROUPS = ['encoder', 'embedding', 'early', 'middle', 'late', 'decoder'] as const;
export type Group = (typeof GROUPS)[number];

const THIRDS = ['early', 'middle', 'late'] as const;
const BLOCK = /^(.*\bblocks\.\d+)\./;
const EMBEDDING = /embed|token|position/;

/**
 * Trainable parameters by the part of the network they belong to. `encoder` is all of the encoder; its blocks are cut
 * into thirds by depth. Patch embedding, tokens and tables shared by all blocks are the embedding; what else stands
 * between blocks or behind them (patch merging, final norms) belongs to the block before it. `decoder` is apart.
 * @param decoder parameters of the method's own decoder, so that what a wrapper adds is in no group
 */
export function layerGroups(encoder: ParamSpecs, decoder: ParamSpecs): ParameterGroups {
  const names = trainable(encoder);
  const blocks = [...new Set(names.flatMap((name) => BLOCK.exec(name)?.[1] ?? []))];
  const groups: Record<Group, string[]> = { encoder: names, embedding: [], early: [], middle: [], late: [], decoder: trainable(decoder) };
  let last: Group = 'embedding';
  for (const name of names) {
    const block = BLOCK.exec(name)?.[1];
    if (block !== undefined) last = THIRDS[Math.floor((3 * blocks.indexOf(block)) / blocks.length)] as Group;
    groups[block === undefined && EMBEDDING.test(name) ? 'embedding' : last].push(name);
  }
  return Object.fromEntries(Object.entries(groups).filter(([, members]) => members.length > 0));
}

const trainable = (specs: ParamSpecs): string[] => Object.keys(specs).filter((name) => specs[name]?.trainable === true);
