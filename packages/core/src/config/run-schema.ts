import { z } from 'zod';
import { HOOK_NAMES } from '../plugin/hook-tokens.js';

/** Settings of a plugin: its name and whatever keys its own schema has. */
export const PluginSettings = z.looseObject({ plugin: z.string().min(1).describe('Short name, package name or path of a plugin.') });
export type PluginSettings = z.output<typeof PluginSettings>;

export type Sections = Readonly<Record<string, z.ZodType>>;

/** Keys of a configuration that belong to no section. */
const ownKeys = {
  seed: z.int().min(0).default(0).describe('Every random stream of the run is derived from it.'),
  output: z.string().min(1).optional().describe('Folder of the run.'),
  method: PluginSettings.describe('The method that is trained.'),
  hooks: z
    .strictObject(Object.fromEntries(HOOK_NAMES.map((name) => [name, PluginSettings.optional()])) as Record<(typeof HOOK_NAMES)[number], z.ZodOptional<typeof PluginSettings>>)
    .default({})
    .describe('Single hooks taken from other plugins.'),
  wrap: z.array(PluginSettings).default([]).describe('Wrappers, from the inside out.'),
};

/** The shape of a whole configuration. Keys of plugins are checked by the plugins' own schemas. */
export const runSchema = <S extends Sections>(sections: S) => z.strictObject({ ...ownKeys, ...sections });

/** Top-level keys whose value is a map: writing nothing after the colon means an empty one. */
export const mapKeys = (sections: Sections): string[] => ['hooks', ...Object.keys(sections)];
