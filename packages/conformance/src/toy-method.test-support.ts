import { definePlugin, ENCODER, IMAGE, TARGET, type Decoder, type Encoder, type MethodPlugin, type Sampler, type Target } from '@mimlab/core';
import { pixelTarget, randomMasking, vitDecoder, vitEncoder } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { conformanceChecks } from './conformance-checks.js';
import { examine, type ConformanceOptions } from './options.js';

export const ToyConfig = z.strictObject({ maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of hidden tokens.') });
export type ToyConfig = z.infer<typeof ToyConfig>;

const patch = { height: 4, width: 4 };
export const image = { height: 16, width: 16, channels: 1 };
const vit = { width: 8, depth: 1, heads: 1, mlpRatio: 2 };

/** A sound method out of parts, with a place to break each hook. */
export interface Break {
  readonly schema?: z.ZodType<ToyConfig>;
  readonly sampler?: (sound: Sampler) => Sampler;
  readonly encoder?: (sound: Encoder) => Encoder;
  readonly decoder?: (sound: Decoder) => Decoder;
  readonly target?: (sound: Target) => Target;
}

const same = <T>(hook: T): T => hook;

export const toy = ({ schema = ToyConfig, sampler = same, encoder = same, decoder = same, target = same }: Break = {}): MethodPlugin<ToyConfig> =>
  definePlugin<ToyConfig>({
    name: 'toy',
    version: '1.0.0',
    core: '^0.1.0',
    paper: 'none',
    configSchema: schema,
    hooks: ({ maskRatio }) => ({
      sampler: () => sampler(randomMasking({ maskRatio })),
      encoder: (container) => encoder(vitEncoder({ ...vit, image: container.resolve(IMAGE), patch, embedPatches: 'visible' })),
      decoder: (container) =>
        decoder(
          vitDecoder({
            ...vit,
            encoder: container.resolve(ENCODER),
            feature: container.resolve(ENCODER).output,
            branch: 'pixels',
            values: 'patches',
            targets: container.resolve(TARGET).spec(container.resolve(ENCODER).grid),
          }),
        ),
      target: (container) => target(pixelTarget({ image: container.resolve(IMAGE), patch, normPix: false })),
    }),
  });

/** What a check says of a plugin; undefined where it is content. */
export async function complaint(plugin: MethodPlugin<ToyConfig>, check: string, options: Partial<ConformanceOptions> = {}): Promise<string | undefined> {
  const found = conformanceChecks.find(({ name }) => name === check);
  if (found === undefined) throw new Error(`there is no check '${check}'`);
  try {
    await found.run(examine(plugin, { image, ...options }));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A way to break a rule, the check that has to notice, and what it has to say. */
export interface BrokenCase {
  readonly broken: Break;
  readonly check: string;
  readonly says: RegExp;
  readonly options?: Partial<ConformanceOptions>;
}

/** Declares a test for each: `is told that it KEY`. */
export function expectComplaints(cases: Readonly<Record<string, BrokenCase>>): void {
  describe('a plugin that breaks a rule', () => {
    for (const [what, { broken, check, says, options }] of Object.entries(cases)) {
      it(`is told that it ${what}`, async () => {
        expect(await complaint(toy(broken), check, options)).toMatch(says);
      });
    }
  });
}
