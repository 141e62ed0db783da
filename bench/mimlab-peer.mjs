// Training steps of mimlab's graph engine, timed on request: the step that `mimlab pretrain` runs, on a synthetic batch.
// Speaks the protocol of peer-process.mjs. Usage: mimlab-peer.mjs CONFIG_JSON (needs a build)
import { createInterface } from 'node:readline';
import { composeRun, createObjective, randomStream, stackPlans } from '@mimlab/core';
import { createEngine, residentPeak, resetResidentPeak } from '@mimlab/engine';
import { mae } from '@mimlab/plugin-mae';
import prMim from '@mimlab/pr-mim';
import { TrainConfig, parameterState, pretrainStep } from '@mimlab/train';

const config = JSON.parse(process.argv[2]);
const { size, patchSize, width, depth, heads, decoderWidth, decoderDepth, decoderHeads, batch, threads, precision, warmup } = config;
const image = { height: size, width: size, channels: 3 };
const method = mae.configSchema.parse({ patchSize, width, depth, heads, decoderWidth, decoderDepth, decoderHeads });
const wrap = config.wrap === undefined ? [] : [{ plugin: prMim, config: prMim.configSchema.parse(config.wrap) }];
const objective = createObjective(composeRun({ image, method: { plugin: mae, config: method }, wrap }));
const engine = await createEngine({ kind: 'graph', precision, threads, xla: config.xla ?? false });
await engine.define(parameterState(objective.params(), 0));
const statistics = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const step = engine.compile(pretrainStep(objective, statistics, TrainConfig.parse({ batch, epochs: 1, warmupEpochs: 0 })));

const pixels = randomStream('bench', 'pixels');
const images = { shape: [batch, size, size, 3], dtype: 'uint8', data: Uint8Array.from({ length: batch * size * size * 3 }, () => pixels.int(256)) };
const crop = { top: 0, left: 0, height: size, width: size, sourceHeight: size, sourceWidth: size, flip: false };
const plans = Array.from({ length: batch }, (_, sampleId) =>
  objective.sampler.sample({
    grid: objective.grid,
    streams: { mask: randomStream('bench', 'mask', sampleId), sample: randomStream('bench', 'sample', sampleId) },
    sampleId,
    epoch: 0,
    crop,
  }),
);
const inputs = { images, ...stackPlans(plans) };

let update = 0;
async function timedStep() {
  const start = performance.now();
  update += 1;
  const { metrics } = await step.run(inputs, { lr: 1e-4, update });
  return { seconds: (performance.now() - start) / 1000, loss: metrics.loss };
}

const answer = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);
for (let i = 0; i < warmup; i++) await timedStep();
resetResidentPeak();
answer({ ready: true, version: engine.description, pid: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  const timed = [];
  for (let i = 0; i < Number(line); i++) timed.push(await timedStep());
  answer({ seconds: timed.map((t) => t.seconds), loss: timed.at(-1).loss, peakMegabytes: residentPeak() / 2 ** 20 });
}
engine.dispose();
