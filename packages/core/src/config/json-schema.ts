import { z } from 'zod';
import type { Plugin } from '../plugin/define-plugin.js';
import { HOOK_NAMES } from '../plugin/hook-tokens.js';
import { offeredHooks } from '../plugin/registry.js';
import { runSchema, type Sections } from './run-schema.js';

type Json = Record<string, unknown>;

/** A JSON Schema of whole configurations, for completion and checks in editors. */
export function jsonSchema({ sections, plugins }: { readonly sections: Sections; readonly plugins: readonly Plugin[] }): Json {
  const whole = schemaOf(runSchema(sections));
  const methods = plugins.filter((plugin) => plugin.kind === 'method');
  const wrappers = plugins.filter((plugin) => plugin.kind === 'wrapper');
  const offering = (hook: string): Plugin[] => methods.filter((plugin) => offeredHooks(plugin)?.includes(hook) ?? true);
  // What a file does not say may stand in one that it extends: nothing is required at this level or the next.
  const properties = Object.fromEntries(Object.entries(whole['properties'] as Record<string, Json>).map(([key, value]) => [key, { ...value, required: [] }]));
  return {
    ...whole,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mimlab configuration',
    properties: {
      extends: {
        description: 'Files or presets that this one extends; what stands here lies over them.',
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      },
      reproduces: {
        description: 'Ids of the rows of published tables whose recipe this file is; not passed on to files that extend it.',
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      },
      ...properties,
      method: { ...described(properties['method']), ...oneOf(methods) },
      hooks: {
        ...described(properties['hooks']),
        type: 'object',
        properties: Object.fromEntries(HOOK_NAMES.map((hook) => [hook, oneOf(offering(hook))])),
        additionalProperties: false,
      },
      wrap: { ...described(properties['wrap']), type: 'array', items: oneOf(wrappers) },
    },
    required: [],
    $defs: Object.fromEntries(plugins.map((plugin) => [plugin.name, settingsSchema(plugin)])),
  };
}

const described = (schema: Json | undefined): Json => ({ description: schema?.['description'] });

function schemaOf(schema: z.ZodType): Json {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  delete json['$schema'];
  return json;
}

/** Settings of a plugin: its name beside its own keys. */
function settingsSchema(plugin: Plugin): Json {
  const own = schemaOf(plugin.configSchema);
  return {
    ...own,
    title: `${plugin.name} (${plugin.paper})`,
    properties: { plugin: { const: plugin.name }, ...(own['properties'] as Json | undefined) },
    required: ['plugin'],
  };
}

/** One of the known plugins by short name, or any other by package name or path, whose keys are not known here. */
function oneOf(plugins: readonly Plugin[]): Json {
  const other = { type: 'object', properties: { plugin: { type: 'string', not: { enum: plugins.map(({ name }) => name) } } }, required: ['plugin'] };
  return { oneOf: [...plugins.map(({ name }) => ({ $ref: `#/$defs/${name}` })), other] };
}
