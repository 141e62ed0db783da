import type { MethodPlugin } from '@mimlab/core';
import { describe, it } from 'vitest';
import { conformanceChecks } from './conformance-checks.js';
import { examine, type ConformanceOptions } from './options.js';

/**
 * Declares a vitest suite that examines a method plugin: one named test for each rule of the contract.
 * Call it at the top level of a test file. Tests that this machine cannot make are skipped with their reason.
 * @param options.config the method's section of a configuration; keep it tiny
 * @param options.image size of the images
 */
export function describePlugin<Config>(plugin: MethodPlugin<Config>, options: ConformanceOptions): void {
  const examined = examine(plugin, options);
  const { height, width, channels } = options.image;
  describe(`plugin ${plugin.name} on ${height} x ${width} x ${channels} keeps the contract:`, () => {
    for (const check of conformanceChecks) {
      it(check.name, async (context) => {
        const reason = await check.skip?.();
        if (reason !== undefined) return context.skip(reason);
        await check.run(examined);
      });
    }
  });
}
