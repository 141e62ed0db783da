import type { Configured, HookName, ImageSpec, MethodPlugin, PixelStatistics } from '@mimlab/core';

/** What a plugin is examined with. Keep it tiny: a grid of 16 cells and widths of 8 to 16 examine everything. */
export interface ConformanceOptions {
  /** The method's section of a configuration, without `plugin`. Parsed with the plugin's own schema. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Size of the images. The encoder's grid must divide it. */
  readonly image: ImageSpec;
  /** Hooks that the plugin does not offer itself, taken from another plugin, with its configuration already parsed. */
  readonly complete?: Readonly<Partial<Record<HookName, Configured<MethodPlugin>>>>;
  /** Images in a batch; at least 2, so that mixing images up shows. Default 2. */
  readonly batch?: number;
  /** Seed of images, parameters and plans. Default 0. */
  readonly seed?: number;
  /** Fraction of all tokens that the wrapped checks throw. Default 0.5. */
  readonly throw?: number;
  /** The method cannot do with fewer tokens (its windows need whole grids): throwing must be refused when a run is put together. Default false. */
  readonly refusesThrowing?: boolean;
  /**
   * Parameters whose gradient is zero by nature, by name. Default: biases of attention keys that are parameters of
   * their own (softmax does not see them).
   */
  readonly withoutGradient?: (name: string) => boolean;
  /** Updates and learning rate of the training check. Default 30 updates at 0.005. */
  readonly training?: { readonly updates: number; readonly lr: number };
}

/** Options with every default filled in. */
export interface Settings extends Required<Omit<ConformanceOptions, 'complete'>> {
  readonly complete: Readonly<Partial<Record<HookName, Configured<MethodPlugin>>>>;
  readonly statistics: PixelStatistics;
}

const isKeyBias = (name: string): boolean => /(^|[._])k(ey)?(_proj)?[._]bias$/.test(name);

export function settingsOf(options: ConformanceOptions): Settings {
  const { channels } = options.image;
  return {
    config: options.config ?? {},
    image: options.image,
    complete: options.complete ?? {},
    batch: Math.max(2, options.batch ?? 2),
    seed: options.seed ?? 0,
    throw: options.throw ?? 0.5,
    refusesThrowing: options.refusesThrowing ?? false,
    withoutGradient: options.withoutGradient ?? isKeyBias,
    training: options.training ?? { updates: 30, lr: 0.005 },
    statistics: { mean: new Array<number>(channels).fill(0.5), std: new Array<number>(channels).fill(0.25) },
  };
}

/** What checks are run with, for those who run `conformanceChecks` themselves. */
export const examine = <Config>(plugin: MethodPlugin<Config>, options: ConformanceOptions): { readonly plugin: MethodPlugin; readonly settings: Settings } => ({
  // A plugin's hooks get what its own schema has parsed; nobody outside knows that type.
  plugin: plugin as unknown as MethodPlugin,
  settings: settingsOf(options),
});
