export { createProgram } from './program.js';
export { createTerminal, type OutputStream, type Terminal } from './terminal.js';
export { describeFailure, EXIT, Interrupted } from './failure.js';
export { countCost, COUNTS, type Cost, type Count } from './cost/count-cost.js';
export { listPresets, type Preset } from './commands/presets.js';
export { loadRunContext, type RunContext } from './run/run-context.js';
export { chartSvg } from './curve/loss-chart.js';
export { loadPaperTables, type PaperRow, type PaperTable } from './table/paper-tables.js';
export { rowPreset } from './table/row-preset.js';
