import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectEnvironment } from '@mimlab/engine';
import { afterAll, describe, expect, it } from 'vitest';
import { recordedTerminal } from '../terminal.test-support.js';
import { doctor } from './doctor.js';
import { listPresets, presets } from './presets.js';
import { schema } from './schema.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-schema-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the schema of configurations', () => {
  it('is written into a file as it is printed, and the line for editors names the file', async () => {
    const [printed, written] = [recordedTerminal(), recordedTerminal()];
    const output = join(folder, 'schema ü.json');
    await schema({}, printed);
    await schema({ output }, written);
    expect(readFileSync(output, 'utf8')).toBe(`${printed.lines.join('\n')}\n`);
    expect(written.lines).toEqual([]);
    expect(written.notes.at(-1)).toBe(`# yaml-language-server: $schema=${output}`);
  });

  it('says that the folder of its file is missing', async () => {
    await expect(schema({ output: join(folder, 'none', 'a.json') }, recordedTerminal())).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('presets', () => {
  it('are listed by the names that configurations extend, without an ending', () => {
    const names = listPresets().map(({ name }) => name);
    expect(names).toContain('simmim/vit-b16-in1k-100e');
    expect(names.filter((name) => /\.ya?ml$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('stand in columns with the rows of the paper that they are for', () => {
    const terminal = recordedTerminal();
    presets({}, terminal);
    expect(terminal.lines[0]).toMatch(/^name +rows +description$/);
    expect(terminal.lines).toHaveLength(listPresets().length + 1);
    expect(terminal.lines.find((line) => line.startsWith('mae/vit-b16-in1k-pr50 '))).toContain(' t3-09 t7-03 ');
  });
});

describe('the doctor', () => {
  it('says as JSON what this machine has', () => {
    const terminal = recordedTerminal();
    doctor({ json: true }, terminal);
    expect(JSON.parse(terminal.lines.join('\n'))).toMatchObject(JSON.parse(JSON.stringify(inspectEnvironment())) as object);
  });

  it('tells people of Node and of TensorFlow', () => {
    const terminal = recordedTerminal();
    doctor({}, terminal);
    expect(terminal.lines.join('\n')).toContain(process.versions.node);
    expect(terminal.lines.join('\n')).toMatch(/tensorflow/i);
  });
});
