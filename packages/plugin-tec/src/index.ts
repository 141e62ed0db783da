export { TeacherConfig, TecConfig } from './config.js';
export { attentionTargets, LOGITS, studentLogits, TOP_K } from './attention.js';
export { ATTENTION, FEATURE, FEATURES } from './decoder.js';
export { ADAPTED, tecEncoder, type TecEncoderOptions } from './encoder.js';
export { TEACHER, teacherTokens, type TeacherOptions } from './target.js';
export { tec, tec as default } from './plugin.js';
