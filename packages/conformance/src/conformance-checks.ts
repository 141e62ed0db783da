import type { Check } from './check.js';
import { configurationChecks } from './checks/configuration.js';
import { costChecks } from './checks/cost.js';
import { forwardChecks } from './checks/forward.js';
import { gradientChecks } from './checks/gradients.js';
import { parameterChecks } from './checks/parameters.js';
import { samplingChecks } from './checks/sampling.js';
import { secrecyChecks } from './checks/secrecy.js';
import { storageChecks } from './checks/storage.js';
import { trainingChecks } from './checks/training.js';
import { wrappedChecks } from './checks/wrapped.js';

/** Every rule, cheap ones first: a plugin that fails early ones fails late ones for the same reason. */
export const conformanceChecks: readonly Check[] = [
  ...configurationChecks,
  ...parameterChecks,
  ...samplingChecks,
  ...forwardChecks,
  ...secrecyChecks,
  ...gradientChecks,
  ...costChecks,
  ...storageChecks,
  ...trainingChecks,
  ...wrappedChecks,
];
