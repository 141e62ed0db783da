import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError, MimlabError } from './errors.js';

describe('an error', () => {
  it('reads place, problem, remedy', () => {
    const error = new ConfigError('the ratio is too large', { place: 'run.yaml:4:3', remedy: 'Choose one below 1.' });
    expect(error.message).toBe('run.yaml:4:3: the ratio is too large\n  Choose one below 1.');
    expect(error).toMatchObject({ place: 'run.yaml:4:3', problem: 'the ratio is too large', remedy: 'Choose one below 1.' });
  });
  it('may be a problem alone', () => expect(new MimlabError('no').message).toBe('no'));
  it('is told from others by its class and name', () => {
    const error = new CheckpointError('damaged');
    expect(error).toBeInstanceOf(MimlabError);
    expect(error).not.toBeInstanceOf(ConfigError);
    expect(error.name).toBe('CheckpointError');
  });
  it('keeps what caused it', () => expect(new MimlabError('no', { cause: 3 }).cause).toBe(3));
});
