import type { UpdateRule } from './contract.js';

/** What each rule keeps of a parameter between updates. */
const SLOTS = { adamw: ['adamw.m', 'adamw.v'], lars: ['lars.mu'] } as const satisfies Record<UpdateRule['kind'], readonly string[]>;

/** Kinds of optimizer state that a rule keeps of each parameter; the state itself is named `SLOT/PARAMETER`. */
export const optimizerSlots = (kind: UpdateRule['kind']): readonly string[] => SLOTS[kind];

/** The kinds of all rules. */
export const OPTIMIZER_SLOTS: readonly string[] = Object.values(SLOTS).flat();

/** Names of the optimizer state of one parameter. */
export const optimizerState = ({ kind }: UpdateRule, parameter: string): string[] => SLOTS[kind].map((slot) => `${slot}/${parameter}`);
