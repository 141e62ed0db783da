export { extractFeatures, pixelFeatures, type ExtractOptions, type Features, type Pool } from './features.js';
export { knnClassify, type KnnOptions, type KnnResult } from './knn.js';
export { evaluateKnn, type EvaluateKnnOptions, type FewLabelsScore, type KnnScores } from './evaluate-knn.js';
export { perClass, selectFeatures } from './label-subset.js';
export { scoreOf, scoreOfDraws, type Score } from './score.js';
export { principalDirections, projectFeatures } from './principal-directions.js';
