import type { z } from 'zod';
import { fillConditionalDefaults, refuseMeaningless } from './config-conditions.js';
import { PrMimKeys, type AggregatorKeys } from './config-keys.js';

/** Options of the wrapper: a strict object whose keys are refused where they mean nothing and completed where they do. */
export const PrMimConfig = PrMimKeys.superRefine(refuseMeaningless).overwrite(fillConditionalDefaults);

/** Options as written. */
export type PrMimInput = z.input<typeof PrMimKeys>;
/** Options after parsing: every key that means something has its value. */
export type PrMimConfig = PrMimKeys;
export type AggregatorConfig = AggregatorKeys;
