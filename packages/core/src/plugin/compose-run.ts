import 'reflect-metadata';
import { container as rootContainer, instanceCachingFactory, type DependencyContainer } from 'tsyringe';
import { CompositionError } from '../errors.js';
import { scoreRetained } from '../hooks/index.js';
import type { ImageSpec } from '../image.js';
import { checkHookNames, type HookFactory, type MethodPlugin, type WrapperPlugin } from './define-plugin.js';
import { HOOK_NAMES, IMAGE, SCORING, TOKENS, type HookName, type Wrappable } from './hook-tokens.js';

/** A plugin with its parsed configuration. */
export interface Configured<P> {
  readonly plugin: P;
  readonly config: unknown;
}

/** What a configuration says about the method: base plugin, single hooks of others, wrappers from the inside out. */
export interface Composition {
  readonly image: ImageSpec;
  readonly method: Configured<MethodPlugin>;
  readonly hooks?: Readonly<Partial<Record<HookName, Configured<MethodPlugin>>>>;
  readonly wrap?: readonly Configured<WrapperPlugin>[];
}

/**
 * Puts a run together: a container of its own for the method, and one more child for each wrapper. A wrapper's
 * decorators get the hook as the layer below resolves it, so a method never learns that it is wrapped.
 * Hooks are built on first use; workers that only sample never build an encoder.
 */
export function composeRun(composition: Composition): DependencyContainer {
  let container = rootContainer.createChildContainer();
  container.register(IMAGE, { useValue: composition.image });
  container.register(SCORING, { useValue: scoreRetained });
  bindHooks(container, composition);
  for (const { plugin, config } of composition.wrap ?? []) {
    const decorators = plugin.wrap(config);
    checkHookNames(plugin, decorators, Object.keys(TOKENS));
    container = wrapLayer(container, decorators);
  }
  return container;
}

function bindHooks(container: DependencyContainer, { method, hooks = {} }: Composition): void {
  for (const name of HOOK_NAMES) {
    const { plugin, config } = hooks[name] ?? method;
    const table = plugin.hooks(config);
    checkHookNames(plugin, table);
    const factory = table[name] as HookFactory<unknown> | undefined;
    if (factory === undefined) {
      throw new CompositionError(`plugin '${plugin.name}' has no ${name}`, {
        place: hooks[name] === undefined ? 'method' : `hooks.${name}`,
        remedy: `It offers ${Object.keys(table).join(', ') || 'no hooks'}; take the ${name} from another plugin under 'hooks.${name}'.`,
      });
    }
    container.register<unknown>(TOKENS[name] as symbol, { useFactory: instanceCachingFactory(factory) });
  }
}

function wrapLayer(below: DependencyContainer, decorators: ReturnType<WrapperPlugin['wrap']>): DependencyContainer {
  const layer = below.createChildContainer();
  for (const name of Object.keys(decorators) as (keyof Wrappable)[]) {
    const decorate = decorators[name] as ((inner: unknown, container: DependencyContainer) => unknown) | undefined;
    if (decorate === undefined) continue;
    const token = TOKENS[name] as symbol;
    layer.register<unknown>(token, { useFactory: instanceCachingFactory(() => decorate(below.resolve<unknown>(token), below)) });
  }
  return layer;
}
