export { jsonSchema } from './json-schema.js';
export { loadDocument } from './load-document.js';
export { loadRunConfig, type LoadedRunConfig, type LoadRunConfigOptions, type RunConfig } from './load-run-config.js';
export { presetAbout, type PresetAbout } from './preset-about.js';
export { findConfigFile, presetNames } from './preset-files.js';
export { checkSettings, readSettings } from './settings.js';
export type { PluginSettings, Sections } from './run-schema.js';
