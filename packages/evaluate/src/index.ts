export { extractFeatures, pixelFeatures, type ExtractOptions, type Features, type Pool } from './features.js';
export { knnClassify, type KnnOptions, type KnnResult } from './knn.js';
export { evaluateKnn, type EvaluateKnnOptions, type FewLabelsScore, type KnnScores } from './evaluate-knn.js';
export { perClass, selectFeatures } from './label-subset.js';
export { scoreOf, scoreOfDraws, type Score } from './score.js';
export { principalDirections, projectFeatures } from './principal-directions.js';
export { trunkOf, type Trunk } from './model/trunk.js';
export { createClassifier, type Classifier, type ClassifierOptions, type Pooling } from './model/classifier.js';
export { tunedParams, tuningUpdates, type TunedBlocks, type TuningRule } from './model/tuned-parameters.js';
export { classifyingStep, softCrossEntropy, tuningStep } from './training/classifier-step.js';
export { linearHeadParams, linearHeadStep, linearScoringStep } from './training/linear-head.js';
export { drawMix, MixConfig, softTargets, type Mix } from './training/soft-targets.js';
export { loadEncoder, type LoadEncoderOptions } from './model/load-encoder.js';
export { resizeParameters, type SizedParams } from './model/resize-parameters.js';
export { readHead, saveClassifier, type HeadFacts, type SavedClassifier } from './model/saved-classifier.js';
export { labelledSamples, parseLabelBudget, type LabelBudget } from './label-subset.js';
export { openEvaluationData, type EvaluationDataOptions, type OpenedData } from './protocol/evaluation-data.js';
export { EVALUATION_FILE, openEvaluationFolder, RESULTS_FILE, type EvaluationFolder } from './protocol/evaluation-folder.js';
export { checkSameClasses, headClassOf, namedClasses, readClassList } from './protocol/class-lists.js';
export { findLeaks, leakWarning, type Leak } from './protocol/leaks.js';
export {
  defineProtocol,
  EvaluationStopped,
  stopIfAsked,
  type EvaluatedModel,
  type EvaluationContext,
  type EvaluationData,
  type EvaluationRecord,
  type LoaderRequest,
  type Protocol,
  type TestFolder,
} from './protocol/protocol.js';
export { evaluate, type EvaluateOptions, type EvaluationResults } from './protocol/evaluate.js';
export { findProtocol, PROTOCOLS } from './protocol/registry.js';
export { predictionsFromScores, summarize, wilsonInterval, type ClassResult, type Interval, type Predictions, type SetPredictions, type SetSummary, type Summary } from './protocol/results.js';
export { ALEXNET_CLEAN_ERROR, ALEXNET_ERRORS, summarizeCorruptions, type CellError, type CorruptionResult, type CorruptionSummary } from './robustness/corruption-error.js';
export { frozenFeatures, type FrozenOptions } from './model/frozen-features.js';
export { tune, type TuneBatch, type TuneOptions } from './training/tune-loop.js';
export { compareGradients, QUANTITIES, type Deviation, type GradientComparison, type Gradients, type ParameterGroups } from './deviation/compare-gradients.js';
export { GROUPS, layerGroups, type Group } from './deviation/layer-groups.js';
export { gradientOutputs, gradientsOf, gradientStep } from './deviation/gradient-step.js';
export type { PairedBatch } from './deviation/paired-plans.js';
export { fitParameters, type FitOptions, type Fitted } from './deviation/fit-parameters.js';
export {
  measureDeviation,
  measuredOver,
  type ComparedMethod,
  type DeviationResults,
  type GroupDeviations,
  type Measured,
  type MeasuredDeviation,
  type MeasureDeviationOptions,
} from './deviation/measure-deviation.js';
