export type { NodeAttrs, Recording, TracedInput, TracedNode, TracedType, TracedValue } from './recording.js';
export { traceFunction } from './trace-function.js';
export { countMacs } from './count-macs.js';
