import { ELEMENTWISE_LOWERING } from './elementwise.js';
import { FUSED_LOWERING } from './fused.js';
import type { LoweringTable } from './lowering.js';
import { MOVEMENT_LOWERING } from './movement.js';
import { PRODUCT_LOWERING } from './products.js';
import { REDUCTION_LOWERING } from './reductions.js';

/** Every kernel that a recording may hold, besides `Const`. */
export const LOWERING: LoweringTable = { ...ELEMENTWISE_LOWERING, ...REDUCTION_LOWERING, ...MOVEMENT_LOWERING, ...PRODUCT_LOWERING, ...FUSED_LOWERING };
