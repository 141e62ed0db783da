import { CONVOLUTIONS } from './convolutions.js';
import { ELEMENTWISE } from './elementwise.js';
import type { KernelTable } from './kernel-spec.js';
import { MOVEMENT } from './movement.js';
import { PRODUCTS } from './products.js';
import { REDUCTIONS } from './reductions.js';

/** Every kernel that a step may use. */
export const KERNELS: KernelTable = { ...ELEMENTWISE, ...REDUCTIONS, ...MOVEMENT, ...PRODUCTS, ...CONVOLUTIONS };
