export type { NodeAttrs, Recording, TracedInput, TracedNode, TracedType, TracedValue } from './recording.js';
export { traceFunction } from './trace-function.js';
export type { RecordedBlock } from './recorded-blocks.js';
export { countMacs } from './count-macs.js';
