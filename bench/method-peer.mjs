// Training steps of one configuration, timed on request: the step that `mimlab pretrain` runs, on a synthetic batch.
// Speaks the protocol of peer-process.mjs. Usage: method-peer.mjs CONFIG_JSON (needs a build)
import { createInterface } from 'node:readline';
import { countCost, loadRunContext } from '@mimlab/cli';
import { randomStream, stackPlans } from '@mimlab/core';
import { createEngine } from '@mimlab/engine';
import { hookRandomness, parameterState, pretrainStep } from '@mimlab/train';

const { preset, set, threads, warmup } = JSON.parse(process.argv[2]);
const { objective, composition, config } = await loadRunContext(preset, set);
const { image, grid, sampler, target } = objective;
const { batch } = config.train;
const engine = await createEngine({ kind: 'graph', precision: 'fp32', threads });
await engine.define(parameterState(objective.params(), 0));
const statistics = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const step = engine.compile(pretrainStep(objective, statistics, config.train));

const bytes = image.height * image.width * image.channels;
const pixels = randomStream('bench', 'pixels');
const data = Uint8Array.from({ length: batch * bytes }, () => pixels.int(256));
const crop = { top: 0, left: 0, height: image.height, width: image.width, sourceHeight: image.height, sourceWidth: image.width, flip: false };
const planOf = (sampleId) =>
  sampler.sample({ grid, streams: { mask: randomStream('bench', 'mask', sampleId), sample: randomStream('bench', 'sample', sampleId) }, sampleId, epoch: 0, crop });
const shared = sampler.scope === 'batch';
const plans = shared ? new Array(batch).fill(planOf(0)) : Array.from({ length: batch }, (_, sampleId) => planOf(sampleId));
const inputs = { images: { shape: [batch, image.height, image.width, image.channels], dtype: 'uint8', data }, ...stackPlans(plans, { shared }) };
// What the loader computes is made once: times are those of the step.
const computed = target.hostTargets === undefined ? [] : plans.map((_, b) => target.hostTargets.compute(data.subarray(b * bytes, (b + 1) * bytes)));
for (const [name, shape] of Object.entries(target.hostTargets?.shapes ?? {})) {
  const values = new Float32Array(batch * shape.reduce((a, b) => a * b, 1));
  computed.forEach((of, b) => values.set(of[name], (b * values.length) / batch));
  inputs[`host.${name}`] = { shape: [batch, ...shape], dtype: 'float32', data: values };
}
Object.assign(inputs, hookRandomness(objective, batch, 0, 1, 0));

let update = 0;
async function timedStep() {
  const start = performance.now();
  update += 1;
  const { metrics } = await step.run(inputs, { lr: 1e-4, update });
  return { seconds: (performance.now() - start) / 1000, loss: metrics.loss };
}

const answer = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);
for (let i = 0; i < warmup; i++) await timedStep();
answer({ ready: true, version: engine.description, counts: sampler.counts(grid), macs: countCost(composition, 'executed').total });
for await (const line of createInterface({ input: process.stdin })) {
  const timed = [];
  for (let i = 0; i < Number(line); i++) timed.push(await timedStep());
  answer({ seconds: timed.map((t) => t.seconds), loss: timed.at(-1).loss });
}
engine.dispose();
