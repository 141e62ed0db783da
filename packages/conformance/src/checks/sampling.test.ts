import { randomStream, type SampleContext, type TokenPlan } from '@mimlab/core';
import { expect, it } from 'vitest';
import { complaint, expectComplaints, toy } from '../toy-method.test-support.js';

const COUNTS = 'its plans list every cell once and keep to the counts it promises';
const PURE = 'its plans depend on nothing but the context';
const STREAMS = 'its masks differ from sample to sample and follow the mask stream alone';

const withMask = (context: SampleContext, mask: SampleContext['streams']['mask']): SampleContext => ({ ...context, streams: { ...context.streams, mask } });
let calls = 0;

expectComplaints({
  'leaves a cell out': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => ({ ...sound.sample(context), visible: Int32Array.of() }) }) },
    check: COUNTS,
    says: /is in none of the lists/,
  },
  'makes plans for a grid of another shape': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => ({ ...sound.sample(context), grid: { rows: 2, columns: 8 } }) }) },
    check: COUNTS,
    says: /the plan's grid is \[2, 8\], the encoder's \[4, 4\]/,
  },
  'hides nothing': {
    broken: { sampler: (sound) => ({ ...sound, counts: () => ({ visible: 16, retained: 0, thrown: 0 }) }) },
    check: 'it throws no token by itself and hides some',
    says: /16 visible and 0 hidden tokens/,
  },
  'shows nothing': {
    broken: { sampler: (sound) => ({ ...sound, counts: () => ({ visible: 0, retained: 16, thrown: 0 }) }) },
    check: 'it throws no token by itself and hides some',
    says: /0 visible and 16 hidden tokens/,
  },
  'draws arrays of its own from a source of its own': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => ({ ...sound.sample(context), aux: { groups: Int32Array.of(calls++) } }) }) },
    check: PURE,
    says: /sample 0 gets another plan .*keep no state/,
  },
  'repeats other cells every time': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => ({ ...sound.sample(context), repeated: Int32Array.of(calls++) }) }) },
    check: PURE,
    says: /keep no state/,
  },
  'draws the same masks in every epoch': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => sound.sample(withMask(context, randomStream('own', context.sampleId))) }) },
    check: STREAMS,
    says: /another stream 'mask' gives the same masks/,
  },
  'keeps the first mask of each sample': {
    broken: {
      sampler: (sound) => {
        const kept = new Map<number, TokenPlan>();
        return { ...sound, sample: (context) => kept.get(context.sampleId) ?? kept.set(context.sampleId, sound.sample(context)).get(context.sampleId) as TokenPlan };
      },
    },
    check: STREAMS,
    says: /another stream 'mask' gives the same masks/,
  },
  'takes the masks of late samples from the stream of wrappers': {
    broken: { sampler: (sound) => ({ ...sound, sample: (context) => sound.sample(context.sampleId < 15 ? context : withMask(context, context.streams.sample)) }) },
    check: STREAMS,
    says: /the stream 'sample' changes the masks/,
  },
});

it('a sampler may write its counts down in any order', async () => {
  const plugin = toy({ sampler: (sound) => ({ ...sound, counts: (grid) => { const { visible, retained, thrown } = sound.counts(grid); return { thrown, retained, visible }; } }) });
  expect(await complaint(plugin, COUNTS)).toBeUndefined();
  expect(await complaint(plugin, 'wrapped by pr-mim, its plans throw what is asked and leave its masks alone')).toBeUndefined();
});
