export { describePlugin } from './describe-plugin.js';
export { conformanceChecks } from './conformance-checks.js';
export { examine, type ConformanceOptions, type Settings } from './options.js';
export { ConformanceError, type Check, type Examined } from './check.js';
