import { z } from 'zod';
import { ensure, type Check } from '../check.js';

const UNKNOWN = 'noSuchKeyAnywhere';

/** Keys the schema declares, read off its JSON schema. */
function declaredKeys(schema: z.ZodType): readonly string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, unknown> };
  return Object.keys(json.properties ?? {});
}

/** The schema says everything, so that files, editors and stored runs agree on what a configuration is. */
export const configurationChecks: readonly Check[] = [
  {
    name: 'its configuration has a value for every key it declares',
    run({ plugin, settings }) {
      const parsed = plugin.configSchema.parse(settings.config);
      ensure(typeof parsed === 'object' && parsed !== null, () => 'the schema parses to something that is no object');
      const missing = declaredKeys(plugin.configSchema).filter((key) => (parsed as Record<string, unknown>)[key] === undefined);
      ensure(missing.length === 0, () => `no default and no value for ${missing.join(', ')}: give each key a default, or require it`);
    },
  },
  {
    name: 'its configuration survives being stored and read back',
    run({ plugin, settings }) {
      const parsed = plugin.configSchema.parse(settings.config);
      const stored = JSON.stringify(parsed);
      const again = JSON.stringify(plugin.configSchema.parse(JSON.parse(stored)));
      ensure(stored === again, () => `stored as ${stored}, read back as ${again}: transforms must give values that the schema accepts`);
    },
  },
  {
    name: 'it refuses a key it does not know, by name',
    run({ plugin, settings }) {
      const result = plugin.configSchema.safeParse({ ...settings.config, [UNKNOWN]: 1 });
      ensure(!result.success, () => 'an unknown key is accepted in silence: use z.strictObject');
      ensure(JSON.stringify(result.error.issues).includes(UNKNOWN), () => `the error does not name the unknown key: ${result.error.message}`);
    },
  },
  {
    name: 'it explains every key to editors',
    run({ plugin }) {
      const json = z.toJSONSchema(plugin.configSchema, { io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, { description?: string }> };
      const silent = Object.entries(json.properties ?? {}).filter(([, { description }]) => !description);
      ensure(silent.length === 0, () => `no description for ${silent.map(([key]) => key).join(', ')}: add .describe('...')`);
    },
  },
];
