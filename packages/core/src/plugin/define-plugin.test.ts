import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PluginError } from '../errors.js';
import { checkCoreRange, checkHookNames, CORE_VERSION, definePlugin, defineWrapper } from './define-plugin.js';

const good = { name: 'dots', version: '1.0.0', core: '^0.1.0', paper: 'none', configSchema: z.strictObject({ depth: z.int().default(1) }), hooks: () => ({}) };
/** A definition as plain JavaScript may hand it in. */
const define = (change: Record<string, unknown>): unknown => definePlugin({ ...good, ...change } as never);

describe('definePlugin', () => {
  it('gives a frozen method', () => {
    const plugin = definePlugin(good);
    expect(plugin.kind).toBe('method');
    expect(Object.isFrozen(plugin)).toBe(true);
  });

  it('gives a wrapper from defineWrapper', () => {
    const { name, version, core, paper, configSchema } = good;
    expect(defineWrapper({ name, version, core, paper, configSchema, wrap: () => ({}) }).kind).toBe('wrapper');
  });

  it.each([
    ['a name with capitals', { name: 'Dots' }, /plugin 'Dots': the name must be lower case with dashes/],
    ['no name', { name: undefined }, /the name must be/],
    ['a version that is none', { version: 'one' }, /version 'one' is no semantic version/],
    ['no core range', { core: undefined }, /core range 'undefined' cannot be read/],
    ['no paper', { paper: undefined }, /'paper' must say where the method was published/],
    ['a core range that cannot be read', { core: 'newest' }, /core range 'newest' cannot be read/],
    ['another core, naming both versions', { core: '^7.0.0' }, new RegExp(`written for core \\^7\\.0\\.0, this is core ${CORE_VERSION.replaceAll('.', '\\.')}`)],
    ['a schema that is none', { configSchema: { depth: 1 } }, /configSchema is not a zod schema/],
    ['a schema that lets misspelt keys pass', { configSchema: z.object({}) }, /lets unknown keys pass/],
    ['hooks that are no function', { hooks: {} }, /'hooks' must be a function/],
  ])('refuses %s', (_, change, message) => {
    expect(() => define(change)).toThrow(PluginError);
    expect(() => define(change)).toThrow(message);
  });

  it('accepts a strict schema with rules across keys', () => {
    expect(() => define({ configSchema: z.strictObject({ a: z.int(), b: z.int() }).refine(({ a, b }) => a < b, 'a must lie below b') })).not.toThrow();
  });
});

describe('checkCoreRange', () => {
  it('accepts a range that holds this core', () => expect(() => checkCoreRange(good)).not.toThrow());
  it('refuses one that does not', () => expect(() => checkCoreRange({ name: 'dots', core: '>=2' })).toThrow(/plugin 'dots': it was written for core >=2/));
});

describe('checkHookNames', () => {
  it('names what is unknown and what is known', () => {
    expect(() => checkHookNames(definePlugin(good), { encodr: () => undefined })).toThrow(/unknown hook 'encodr'\n {2}Known hooks: sampler, encoder, decoder, target\./);
  });
});
