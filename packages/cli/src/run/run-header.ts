import type { Objective } from '@mimlab/core';
import type { TrainRecord } from '@mimlab/train';
import { formulaRatio } from '../cost/count-cost.js';
import type { RunContext } from './run-context.js';

type StartRecord = Extract<TrainRecord, { kind: 'start' }>;

/**
 * What predicting the mean of every patch costs under patch-normalised pixels: (n - 1) / n for patches of n values,
 * because the target is divided by the unbiased deviation. Undefined for other targets.
 */
export function constantLevel(objective: Objective): number | undefined {
  const { target, grid } = objective;
  if (target.picture?.standardized !== true) return undefined;
  const values = target.spec(grid)[target.picture.branch]?.values;
  return values === undefined ? undefined : (values - 1) / values;
}

const number = (value: number): string => String(Number(value.toPrecision(4)));

/** What a person should see before the first update: most failed reproductions go back to one of these lines. */
export function headerLines({ objective, composition, config }: RunContext, start: StartRecord): string[] {
  const { grid, sampler, image } = objective;
  const { visible, retained, thrown } = sampler.counts(grid);
  const ratio = formulaRatio(objective, composition);
  const level = constantLevel(objective);
  const { batch, accumulate } = config.train;
  const rate = start.baseLr === undefined ? `${number(start.lr)} (absolute)` : `${number(start.lr)} = base ${number(start.baseLr)} x ${start.effectiveBatch} / 256`;
  const rows: [string, string][] = [
    ['run', start.runFolder],
    ['method', [config.method.plugin, ...config.wrap.map(({ plugin }) => plugin)].join(' + ')],
    ['engine', start.engine],
    ['data', `${config.data.dataset}, ${start.samples} images of ${image.height} x ${image.width} x ${image.channels}`],
    ['tokens', `${grid.rows} x ${grid.columns}: V ${visible} visible, K ${retained} retained, T ${thrown} thrown`],
    ['cost', `${ratio.toFixed(3)} of the method without wrappers (forward MACs)`],
    ['parameters', `${start.parameters.trainable} trainable, ${start.parameters.frozen} fixed`],
    ['batch', `${start.effectiveBatch} images an update (${batch} x ${accumulate})`],
    ['rate', rate],
    ['updates', `${start.updates} (${start.updatesPerEpoch} an epoch)${start.update > 0 ? `, going on after ${start.update}` : ''}`],
    ...(level === undefined ? [] : [['level', `${number(level)} is the loss of predicting each patch by its mean`] as [string, string]]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(11)}${text}`);
}
