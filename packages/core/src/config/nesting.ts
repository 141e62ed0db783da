import { Lexer } from 'yaml';

/** How deep values of a configuration may be nested; hand-written ones need fewer than ten levels. */
export const DEPTH_LIMIT = 100;

const FLOW_STARTS = new Set(['[', '{']);
const FLOW_ENDS = new Set([']', '}']);
/** What opens a nested block on the same line: `- - a`, `? - a`. */
const INDICATORS = new Set(['-', '?', ':']);
/** Marks that the lexer adds; they are no part of the text. */
const MARKS = new Set(['\u0002', '\u0018', '\u001f']);

/**
 * Where a text is nested deeper than `limit`, as an offset; undefined if nowhere. It only cuts the text into words: a
 * parser needs memory for every open level, and a few kilobytes of brackets would end the process.
 */
export function tooDeepAt(text: string, limit = DEPTH_LIMIT): number | undefined {
  let offset = 0;
  let lineStart = 0;
  let flow = 0;
  /** Columns at which the open blocks begin, each further right than the one before. */
  const columns: number[] = [];
  /** Whether a node that starts here opens a level: at the begin of a line, or behind an indicator that did. */
  let opens = true;
  for (const word of new Lexer().lex(text)) {
    if (MARKS.has(word)) continue;
    const at = offset;
    offset += word.length;
    const lineEnd = word.lastIndexOf('\n');
    const isBlank = word.trim() === '' || word.startsWith('#');
    if (!isBlank) {
      if (FLOW_STARTS.has(word)) flow += 1;
      if (FLOW_ENDS.has(word)) flow = Math.max(0, flow - 1);
      if (flow === 0 && opens) {
        const column = at - lineStart;
        while (columns.length > 0 && (columns.at(-1) as number) >= column) columns.pop();
        columns.push(column);
      }
      opens = opens && INDICATORS.has(word);
      if (columns.length + flow > limit) return at;
    }
    if (lineEnd >= 0) {
      lineStart = at + lineEnd + 1;
      opens = true;
    }
  }
  return undefined;
}
