// One batch of a step's inputs without a loader: its threads and buffers would count as memory of the step.
import { randomStream, stackPlans } from '@mimlab/core';

/** Random pixels, plans of the run's sampler, host targets. @returns `images`, `plan.*` and `host.*` */
export function syntheticBatch({ image: { height, width, channels }, grid, sampler, target }, batch) {
  const crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  const pixels = randomStream('bench', 'pixels');
  const bytes = height * width * channels;
  const data = Uint8Array.from({ length: batch * bytes }, () => pixels.int(256));
  const planOf = (sampleId) => {
    const streams = { mask: randomStream('bench', 'mask', sampleId), sample: randomStream('bench', 'sample', sampleId) };
    return sampler.sample({ grid, streams, sampleId, epoch: 0, crop });
  };
  const shared = sampler.scope === 'batch';
  const plans = shared ? new Array(batch).fill(planOf(0)) : Array.from({ length: batch }, (_, sampleId) => planOf(sampleId));
  const inputs = { images: { shape: [batch, height, width, channels], dtype: 'uint8', data }, ...stackPlans(plans, { shared }) };
  const { shapes = {}, compute } = target.hostTargets ?? {};
  const computed = compute === undefined ? [] : plans.map((_, b) => compute(data.subarray(b * bytes, (b + 1) * bytes)));
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(batch * size);
    computed.forEach((targets, b) => values.set(targets[name], b * size));
    inputs[`host.${name}`] = { shape: [batch, ...shape], dtype: 'float32', data: values };
  }
  return inputs;
}
