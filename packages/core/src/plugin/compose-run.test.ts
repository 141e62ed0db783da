import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CompositionError, PluginError } from '../errors.js';
import { scoreRetained, type Scoring } from '../hooks/index.js';
import { tiny, tinyImage, tinyRun, tinySampler, tinyTarget } from '../tiny-method.test-support.js';
import { composeRun } from './compose-run.js';
import { definePlugin, defineWrapper, type WrapperPlugin } from './define-plugin.js';
import { DECODER, ENCODER, IMAGE, SAMPLER, SCORING, TARGET } from './hook-tokens.js';

const described = { version: '1.0.0', core: '^0.1.0', paper: 'none', configSchema: z.strictObject({}) };
const method = { plugin: tiny, config: { visible: 1 } };
const grid = { rows: 2, columns: 2 };

/** Throws `count` of the retained tokens away. */
const throwing = (name: string, count: number): { plugin: WrapperPlugin; config: unknown } => ({
  config: {},
  plugin: defineWrapper({
    ...described,
    name,
    wrap: () => ({
      sampler: (inner) => ({ ...inner, counts: (of) => ({ ...inner.counts(of), retained: inner.counts(of).retained - count, thrown: inner.counts(of).thrown + count }) }),
    }),
  }),
});

describe('composeRun', () => {
  it('binds the hooks of the method, the image and the default scoring', () => {
    const run = tinyRun(2);
    expect(run.resolve(SAMPLER).counts(grid)).toEqual({ visible: 2, retained: 2, thrown: 0 });
    expect(run.resolve(IMAGE)).toBe(tinyImage);
    expect(run.resolve(SCORING)).toBe(scoreRetained);
  });

  it('builds each hook once, and only when it is asked for', () => {
    let built = 0;
    const counting = definePlugin({
      ...described,
      name: 'counting',
      hooks: () => ({
        sampler: () => {
          built += 1;
          return tinySampler(1);
        },
        encoder: () => {
          throw new Error('a worker that only samples must not build the encoder');
        },
        decoder: () => ({}) as never,
        target: () => tinyTarget,
      }),
    });
    const run = composeRun({ image: tinyImage, method: { plugin: counting, config: {} } });
    expect(built).toBe(0);
    expect(run.resolve(SAMPLER)).toBe(run.resolve(SAMPLER));
    expect(built).toBe(1);
  });

  it('takes single hooks from other plugins', () => {
    const other = definePlugin({ ...described, name: 'other', hooks: () => ({ sampler: () => tinySampler(3) }) });
    const run = composeRun({ image: tinyImage, method, hooks: { sampler: { plugin: other, config: {} } } });
    expect(run.resolve(SAMPLER).counts(grid).visible).toBe(3);
    expect(run.resolve(ENCODER).output).toBe('tokens');
  });

  it('keeps runs apart', () => {
    expect(tinyRun(1).resolve(SAMPLER).counts(grid)).not.toEqual(tinyRun(2).resolve(SAMPLER).counts(grid));
  });

  it('gives a hook the siblings of its own run', () => {
    expect(tinyRun().resolve(DECODER).branches[0]?.name).toBe('pixels');
  });
});

describe('wrappers', () => {
  it('decorate what the layer below gives, from the inside out', () => {
    const order: string[] = [];
    const noting = (name: string): { plugin: WrapperPlugin; config: unknown } => ({
      config: {},
      plugin: defineWrapper({
        ...described,
        name,
        wrap: () => ({
          target: (inner) => ({
            ...inner,
            spec: (of) => {
              order.push(name);
              return inner.spec(of);
            },
          }),
        }),
      }),
    });
    composeRun({ image: tinyImage, method, wrap: [noting('inner'), noting('outer')] }).resolve(TARGET).spec(grid);
    expect(order).toEqual(['outer', 'inner']);
  });

  it('add up', () => {
    const run = composeRun({ image: tinyImage, method, wrap: [throwing('one', 1), throwing('two', 2)] });
    expect(run.resolve(SAMPLER).counts(grid)).toEqual({ visible: 1, retained: 0, thrown: 3 });
  });

  it('leave hooks they do not name as they are', () => {
    const run = composeRun({ image: tinyImage, method, wrap: [throwing('one', 1)] });
    expect(run.resolve(TARGET)).toBe(tinyTarget);
  });

  it('may change what the loss asks for', () => {
    const sequence: Scoring = { ...scoreRetained, predictTokens: 'sequence' };
    const plugin = defineWrapper({ ...described, name: 'asking', wrap: () => ({ scoring: () => sequence }) });
    expect(composeRun({ image: tinyImage, method, wrap: [{ plugin, config: {} }] }).resolve(SCORING)).toBe(sequence);
  });

  it('see the container of the layer below, and the method never sees theirs', () => {
    const seen: number[] = [];
    const looking = defineWrapper({
      ...described,
      name: 'looking',
      wrap: () => ({
        target: (inner, container) => {
          seen.push(container.resolve(SAMPLER).counts(grid).thrown);
          return inner;
        },
      }),
    });
    const run = composeRun({ image: tinyImage, method, wrap: [throwing('one', 1), { plugin: looking, config: {} }, throwing('two', 2)] });
    run.resolve(TARGET);
    expect(seen).toEqual([1]);
  });
});

describe('a composition is refused', () => {
  const half = definePlugin({ ...described, name: 'half', hooks: () => ({ target: () => tinyTarget }) });

  it('when the method lacks a hook, with what it offers', () => {
    const compose = (): unknown => composeRun({ image: tinyImage, method: { plugin: half, config: {} } });
    expect(compose).toThrow(CompositionError);
    expect(compose).toThrow(/method: plugin 'half' has no sampler\n {2}It offers target; take the sampler from another plugin under 'hooks\.sampler'/);
  });

  it('when a hook is taken from a plugin without it', () => {
    expect(() => composeRun({ image: tinyImage, method, hooks: { encoder: { plugin: half, config: {} } } })).toThrow(/hooks\.encoder: plugin 'half' has no encoder/);
  });

  it('when a plugin or wrapper names a hook that does not exist', () => {
    const odd = definePlugin({ ...described, name: 'odd', hooks: () => ({ loss: () => ({}) }) as never });
    const wrapper = defineWrapper({ ...described, name: 'wrong', wrap: () => ({ image: () => ({}) }) as never });
    expect(() => composeRun({ image: tinyImage, method: { plugin: odd, config: {} } })).toThrow(PluginError);
    expect(() => composeRun({ image: tinyImage, method, wrap: [{ plugin: wrapper, config: {} }] })).toThrow(/unknown hook 'image'/);
  });
});
