import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError, EngineError } from '../errors.js';
import { fileError, readBytes, withFile, writeBytes } from './file-access.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-access-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content = ''): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('an error of the file system', () => {
  const told = (code: string): string => fileError('w.pth', Object.assign(new Error('raw words'), { code })).message;
  it.each([
    ['ENOENT', /^w\.pth: there is no such file or folder\n {2}Check the path/],
    ['EACCES', /permission denied\n.*permissions of the file and its folder/],
    ['EPERM', /permission denied\n.*permissions of the file and its folder/],
    ['EISDIR', /this is a folder, a file is expected\n.*file inside it/],
    ['ENOTDIR', /a part of this path is a file/],
    ['ENOSPC', /no space left on the disk\n.*saved before is untouched/],
    ['EDQUOT', /disk quota is used up\n.*saved before is untouched/],
    ['EROFS', /file system is read-only\n.*another folder/],
  ])('%s is told with its remedy', (code, message) => expect(told(code)).toMatch(message));
  it('of another kind keeps its words and gets its place', () => expect(told('EIO')).toBe('w.pth: raw words'));
  it('that is no Error at all is told as text', () => {
    expect(fileError('w.pth', 'gone').message).toBe('w.pth: gone');
    expect(fileError('w.pth', null)).toBeInstanceOf(CheckpointError);
  });
  it('keeps its cause', () => {
    const cause = new Error('x');
    expect(fileError('w.pth', cause).cause).toBe(cause);
  });
  it('that is typed already passes through, of whatever kind', () => {
    for (const error of [new CheckpointError('a'), new EngineError('b')]) expect(fileError('w.pth', error)).toBe(error);
  });
});

describe('withFile', () => {
  it('hands over the file and its size', async () => {
    expect(await withFile(file('abc', 'abc'), async (handle, size) => [size, (await handle.readFile()).toString()])).toEqual([3, 'abc']);
  });

  it('closes the file when its use fails, and names it', async () => {
    let kept: Awaited<ReturnType<typeof open>> | undefined;
    const using = withFile(file('failing'), async (handle) => {
      kept = handle;
      throw new Error('torn');
    });
    await expect(using).rejects.toThrow(/failing: torn$/);
    expect(kept?.fd).toBe(-1);
  });

  it('refuses a folder', async () => {
    mkdirSync(join(folder, 'inside'));
    await expect(withFile(join(folder, 'inside'), async () => 1)).rejects.toThrow(/inside: this is a folder/);
  });

  it('refuses a path through a file', async () => {
    await expect(withFile(join(file('plain'), 'x'), async () => 1)).rejects.toThrow(/a part of this path is a file/);
  });

  it('refuses a pipe in place of waiting for a writer', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(withFile(join(folder, 'pipe'), async () => 1)).rejects.toThrow(/pipe: this is no regular file\n.*Save its content as a file/);
  });
});

describe('bytes', () => {
  it('are read from the middle of a file', async () => {
    const bytes = await withFile(file('middle', 'abcdef'), (handle) => readBytes(handle, 2, 3));
    expect(Buffer.from(bytes).toString()).toBe('cde');
  });
  it('that are not there are counted', async () => {
    await expect(withFile(file('early', 'abc'), (handle) => readBytes(handle, 1, 5))).rejects.toThrow(/early: the file ends 3 bytes early/);
  });
  it('are written one after the other', async () => {
    const handle = await open(join(folder, 'out'), 'w');
    for (const word of ['ab', '', 'cd']) await writeBytes(handle, Buffer.from(word));
    await handle.close();
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('abcd');
  });
});
