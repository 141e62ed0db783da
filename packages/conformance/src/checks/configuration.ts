import { inspect, isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ensure, type Check } from '../check.js';

const UNKNOWN = 'noSuchKeyAnywhere';

/** One map of the schema: where it stands, its keys and their descriptions, and what it says of other keys. */
interface KeyMap {
  readonly place: string;
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  readonly additionalProperties?: unknown;
}

const jsonOf = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

/** Every map that a JSON schema has keys for, the outermost first, alternatives and shared definitions included. */
function mapsIn(json: unknown, place = ''): readonly KeyMap[] {
  if (typeof json !== 'object' || json === null) return [];
  const { properties, ...rest } = json as Partial<KeyMap>;
  const own = properties === undefined ? [] : [{ ...rest, place, properties }];
  const under = (key: string): string => (place === '' ? key : `${place}.${key}`);
  return [
    ...own,
    ...Object.entries(properties ?? {}).flatMap(([key, inner]) => mapsIn(inner, under(key))),
    ...Object.values(rest).flatMap((inner) => mapsIn(inner, place)),
  ];
}

const placeText = (place: string): string => (place === '' ? '' : ` of ${place}`);

/** The schema says everything, so that files, editors and stored runs agree on what a configuration is. */
export const configurationChecks: readonly Check[] = [
  {
    name: 'its configuration has a value for every key it declares',
    run({ plugin, settings }) {
      const parsed = plugin.configSchema.parse(settings.config);
      ensure(typeof parsed === 'object' && parsed !== null, () => 'the schema parses to something that is no object');
      const declared = Object.keys(mapsIn(jsonOf(plugin.configSchema))[0]?.properties ?? {});
      const missing = declared.filter((key) => (parsed as Record<string, unknown>)[key] === undefined);
      ensure(missing.length === 0, () => `no default and no value for ${missing.join(', ')}: give each key a default, or require it`);
    },
  },
  {
    name: 'its configuration survives being stored and read back',
    run({ plugin, settings }) {
      const parsed = plugin.configSchema.parse(settings.config);
      const stored = JSON.stringify(parsed);
      const again = plugin.configSchema.parse(JSON.parse(stored));
      ensure(stored === JSON.stringify(again), () => `stored as ${stored}, read back as ${JSON.stringify(again)}: transforms must give values that the schema accepts`);
      ensure(isDeepStrictEqual(parsed, again), () => `${inspect(parsed)} is stored as ${stored} and comes back as ${inspect(again)}: keep to what JSON can hold`);
    },
  },
  {
    name: 'it refuses a key it does not know, by name',
    run({ plugin, settings }) {
      const result = plugin.configSchema.safeParse({ ...settings.config, [UNKNOWN]: 1 });
      ensure(!result.success, () => 'an unknown key is accepted in silence: use z.strictObject');
      ensure(JSON.stringify(result.error.issues).includes(UNKNOWN), () => `the error does not name the unknown key: ${result.error.message}`);
      const lax = mapsIn(jsonOf(plugin.configSchema)).filter(({ additionalProperties: others = {} }) => isDeepStrictEqual(others, {}));
      ensure(lax.length === 0, () => `an unknown key${placeText(lax[0]?.place ?? '')} is accepted in silence: use z.strictObject there, too`);
    },
  },
  {
    name: 'it explains every key to editors',
    run({ plugin }) {
      const silent = mapsIn(jsonOf(plugin.configSchema)).flatMap(({ place, properties }) =>
        Object.entries(properties).flatMap(([key, { description }]) => (description ? [] : [key + placeText(place)])),
      );
      ensure(silent.length === 0, () => `no description for ${silent.join(', ')}: add .describe('...')`);
    },
  },
];
