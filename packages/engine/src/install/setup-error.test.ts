import { EngineError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { MissingToolError, oneLine } from './setup-error.js';

describe('oneLine', () => {
  it('joins problem and remedy as sentences', () => {
    expect(oneLine(new EngineError('it is gone', { place: 'here', remedy: 'Look elsewhere.' }))).toBe('here: it is gone. Look elsewhere.');
  });

  it('keeps the punctuation that lines end with', () => {
    expect(oneLine('several things:\n  one,\n  two.')).toBe('several things: one, two.');
  });
});

describe('MissingToolError', () => {
  it('names one tool or several, what is lost, what works and how to get them', () => {
    expect(oneLine(new MissingToolError(['g++'], 'no binding', 'the graph works', 'g++'))).toBe(
      `set-up: g++ is missing: no binding; the graph works. Get it with 'apt install g++' or the like, then run 'npm run setup'.`,
    );
    expect(oneLine(new MissingToolError(['python3', 'pip'], 'no download', 'wasm works', 'python3-pip'))).toContain('python3 and pip are missing: no download; wasm works. Get them with');
  });
});
