// What the loader costs: steps fed by it beside steps on one batch, and furthest sampling beside its other work.
import { loadRunContext } from '@mimlab/cli';
import { randomStream } from '@mimlab/core';
import { selectFurthest } from '@mimlab/pr-mim';
import { CASES, configuration } from './catalogue.mjs';
import { startMimlab } from './compare.mjs';
import { interleave } from './interleave.mjs';
import { median, ratioSummary, summary } from './statistics.mjs';

/** Steps a round: enough that a batch made after the last of them weighs little. */
const STEPS = { small: 10, 'vit-b16': 3 };

/** MAE with half of all tokens thrown, with the loader and without, in one process. */
export async function measureLoaded(caseName, tools) {
  const say = (text) => tools.say(`loader, ${caseName}: ${text}`);
  say('starting');
  const peer = await startMimlab(configuration('mae', caseName, 0.5, tools.folders), { precision: 'fp32', tools });
  try {
    const steps = STEPS[caseName];
    const { rounds, seconds, batch } = CASES[caseName];
    await peer.ask({ loaded: 2 });
    const runners = { without: () => peer.ask({ steps }), with: () => peer.ask({ loaded: steps }) };
    const taken = await interleave(runners, { rounds: tools.rounds ?? rounds, seconds, say });
    return {
      caseName, batch, steps,
      without: summary(taken.without.steps),
      with: summary(taken.with.steps),
      ratio: ratioSummary(taken.with.ofRounds, taken.without.ofRounds),
      alone: await peer.ask({ loader: 8 }),
    }; // prettier-ignore
  } finally {
    peer.stop();
  }
}

const SAMPLED = 200;

/** Microseconds that choosing the retained tokens of one image takes: 14 x 14 tokens, masks of MAE, half of all thrown. */
export async function measureSampling(tools) {
  const { preset, set } = configuration('mae', 'vit-b16', 0, tools.folders);
  const { objective } = await loadRunContext(preset, set);
  const { grid, sampler, image } = objective;
  const crop = { top: 0, left: 0, height: image.height, width: image.width, sourceHeight: image.height, sourceWidth: image.width, flip: false };
  const problems = Array.from({ length: SAMPLED }, (_, sampleId) => {
    const streams = { mask: randomStream('bench', 'mask', sampleId), sample: randomStream('bench', 'sample', sampleId) };
    const { retained: masked } = sampler.sample({ grid, streams, sampleId, epoch: 0, crop });
    return { columns: grid.columns, masked, keep: masked.length - Math.floor(0.5 * grid.rows * grid.columns), first: streams.sample.int(masked.length) };
  });
  const round = () => {
    const start = performance.now();
    for (const problem of problems) selectFurthest(problem);
    return (1000 * (performance.now() - start)) / SAMPLED;
  };
  for (let i = 0; i < 10; i++) round();
  const microseconds = Array.from({ length: 50 }, round);
  tools.say(`furthest sampling: ${median(microseconds).toFixed(1)} µs an image`);
  return { grid, keep: problems[0].keep, masked: problems[0].masked.length, microseconds: summary(microseconds) };
}
