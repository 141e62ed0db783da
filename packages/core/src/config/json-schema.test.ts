import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePlugin, defineWrapper } from '../plugin/define-plugin.js';
import { jsonSchema } from './json-schema.js';

const described = { version: '1.0.0', core: '^0.1.0', paper: 'arXiv:1' };
const dots = definePlugin({
  ...described,
  name: 'dots',
  configSchema: z.strictObject({ maskRatio: z.number().default(0.75).describe('Fraction of hidden tokens.') }),
  hooks: () => ({ target: () => ({}) as never }),
});
const halve = defineWrapper({ ...described, name: 'halve', configSchema: z.strictObject({ throw: z.number() }), wrap: () => ({}) });

const schema = jsonSchema({ sections: { data: z.strictObject({ path: z.string().describe('Folder of images.') }) }, plugins: [dots, halve] });
const properties = schema['properties'] as Record<string, Record<string, unknown>>;
const names = (choice: unknown): unknown[] => (choice as { oneOf: { $ref?: string }[] }).oneOf.map(({ $ref }) => $ref);

describe('the JSON schema of configurations', () => {
  it('knows the top-level keys and refuses others', () => {
    expect(Object.keys(properties).sort()).toEqual(['data', 'extends', 'hooks', 'method', 'output', 'reproduces', 'seed', 'wrap']);
    expect(schema['additionalProperties']).toBe(false);
  });

  it('offers methods under `method` and wrappers under `wrap`, besides plugins it does not know', () => {
    expect(names(properties['method'])).toEqual(['#/$defs/dots', undefined]);
    expect(names(properties['wrap']?.['items'])).toEqual(['#/$defs/halve', undefined]);
  });

  it('offers under a hook only the methods that have it', () => {
    const hooks = properties['hooks']?.['properties'] as Record<string, unknown>;
    expect(names(hooks['target'])).toEqual(['#/$defs/dots', undefined]);
    expect(names(hooks['encoder'])).toEqual([undefined]);
  });

  it('describes the settings of a plugin with types, defaults and texts', () => {
    expect((schema['$defs'] as Record<string, unknown>)['dots']).toEqual({
      title: 'dots (arXiv:1)',
      type: 'object',
      properties: { plugin: { const: 'dots' }, maskRatio: { type: 'number', default: 0.75, description: 'Fraction of hidden tokens.' } },
      required: ['plugin'],
      additionalProperties: false,
    });
  });

  it('describes sections and requires nothing of them, since an extended file may say it', () => {
    expect(properties['data']).toMatchObject({ properties: { path: { type: 'string', description: 'Folder of images.' } }, required: [] });
    expect(schema['required']).toEqual([]);
  });

  it('is plain JSON', () => expect(JSON.parse(JSON.stringify(schema))).toEqual(schema));
});
