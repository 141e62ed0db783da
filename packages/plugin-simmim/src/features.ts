/** Official names start with it; the final norm is `encoder.norm`. */
export const PREFIX = 'encoder.';
export const NORM = 'encoder.norm';
