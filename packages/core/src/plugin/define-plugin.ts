import semver from 'semver';
import type { DependencyContainer } from 'tsyringe';
import { z } from 'zod';
import { isStrictObject } from '../config/schema-keys.js';
import { PluginError } from '../errors.js';
import { HOOK_NAMES, type HookName, type Hooks, type Wrappable } from './hook-tokens.js';

/** Version of the contracts in this package; plugins state the range they fit. */
export const CORE_VERSION = '0.1.0';

/** Builds one hook. Siblings come from the run's container, never from the plugin itself: that is what makes hooks composable. */
export type HookFactory<T> = (container: DependencyContainer) => T;
/** Decorates one hook of whatever method is wrapped. `container` is that of the layer below. */
export type HookDecorator<T> = (inner: T, container: DependencyContainer) => T;

interface Described<Config> {
  /** Short name used in configurations, e.g. `mae`. */
  readonly name: string;
  readonly version: string;
  /** Semantic-version range of the core it was written for. */
  readonly core: string;
  /** Where the method was published, e.g. `arXiv:2111.06377`. */
  readonly paper: string;
  /** A strict object: unknown keys are mistakes. Every key needs a default or must be given. */
  readonly configSchema: z.ZodType<Config>;
  /** Settings to list its hooks with, where some of its keys have no default. Never used in a run. */
  readonly exampleConfig?: Readonly<Record<string, unknown>>;
  /** Takes the place of an already registered plugin of the same name instead of being refused. */
  readonly replace?: boolean;
}

/** A masked-image-modelling method. A plugin may offer some of the hooks only (a target, say); such a plugin can be used under `hooks:`. */
export interface MethodPlugin<Config = unknown> extends Described<Config> {
  readonly kind: 'method';
  // Written as a method so that a plugin with its own type of settings is a `Plugin`: core hands it what its schema parsed.
  hooks(config: Config): { readonly [K in HookName]?: HookFactory<Hooks[K]> };
  /** Settings under which the method costs what its paper counts (all patches embedded, say). For `mimlab flops`. */
  readonly paperCount?: Partial<Config>;
}

/** Something that wraps any method. */
export interface WrapperPlugin<Config = unknown> extends Described<Config> {
  readonly kind: 'wrapper';
  wrap(config: Config): { readonly [K in keyof Wrappable]?: HookDecorator<Wrappable[K]> };
}

export type Plugin = MethodPlugin | WrapperPlugin;

/**
 * Checks and freezes the definition of a method.
 * @throws PluginError naming the plugin and the field that is wrong.
 */
export function definePlugin<Config>(definition: Omit<MethodPlugin<Config>, 'kind'>): MethodPlugin<Config> {
  return Object.freeze({ ...checked(definition, 'hooks'), kind: 'method' as const });
}

/** As `definePlugin`, for wrappers. */
export function defineWrapper<Config>(definition: Omit<WrapperPlugin<Config>, 'kind'>): WrapperPlugin<Config> {
  return Object.freeze({ ...checked(definition, 'wrap'), kind: 'wrapper' as const });
}

function checked<Config, D extends Described<Config>>(definition: D, builder: 'hooks' | 'wrap'): D {
  const place = `plugin '${String(definition.name)}'`;
  const refuse = (problem: string, remedy: string): never => {
    throw new PluginError(problem, { place, remedy });
  };
  if (typeof definition.name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(definition.name)) refuse(`the name must be lower case with dashes`, `Rename it, e.g. 'my-method'.`);
  if (semver.valid(definition.version) === null) refuse(`version '${definition.version}' is no semantic version`, `Give one such as '0.1.0'.`);
  if (semver.validRange(definition.core) === null) refuse(`core range '${definition.core}' cannot be read`, `Give a range such as '^${CORE_VERSION}'.`);
  checkCoreRange(definition);
  if (typeof definition.paper !== 'string' || definition.paper === '') refuse(`'paper' must say where the method was published`, `Give e.g. 'arXiv:2111.06377', or 'none'.`);
  if (!(definition.configSchema instanceof z.ZodType)) refuse('configSchema is not a zod schema', `Export a z.strictObject({...}); check that zod is not installed twice.`);
  if (isStrictObject(definition.configSchema) === false) refuse('configSchema lets unknown keys pass', `Use z.strictObject({...}), so that misspelt keys are refused.`);
  const build = (definition as unknown as Record<string, unknown>)[builder];
  if (typeof build !== 'function') refuse(`'${builder}' must be a function of the configuration`, `See the README of @mimlab/core.`);
  return definition;
}

/**
 * Refuses a plugin that was written for other contracts. Asked again when a plugin is found: one that brought its own
 * copy of this package has been checked against that copy only.
 */
export function checkCoreRange({ name, core }: { readonly name: string; readonly core: string }): void {
  if (semver.satisfies(CORE_VERSION, core)) return;
  throw new PluginError(`it was written for core ${core}, this is core ${CORE_VERSION}`, {
    place: `plugin '${String(name)}'`,
    remedy: 'Install a version of the plugin that fits, or another @mimlab/core.',
  });
}

/** Refuses a hook table with unknown names. @internal used by `composeRun` */
export function checkHookNames(plugin: Plugin, table: object, allowed: readonly string[] = HOOK_NAMES): void {
  const unknown = Object.keys(table).filter((name) => !allowed.includes(name));
  if (unknown.length > 0) {
    throw new PluginError(`unknown hook ${unknown.map((name) => `'${name}'`).join(', ')}`, {
      place: `plugin '${plugin.name}'`,
      remedy: `Known hooks: ${allowed.join(', ')}.`,
    });
  }
}
