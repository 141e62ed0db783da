import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, CORE_VERSION } from '@mimlab/core';
import { openRegistry } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';

/** Files of a plugin package as they ship with the command, beside sources and build alike. */
const TEMPLATES = fileURLToPath(new URL('../../templates/plugin', import.meta.url));
const ENDING = '.template';
const LONGEST = 60;

export interface NewPluginOptions {
  /** Folder of the new package; default `mimlab-plugin-NAME` where the command is called. */
  readonly output?: string;
}

/** @throws ConfigError unless packages and configurations can carry the name, and no installed plugin has it. */
export async function checkPluginName(name: string): Promise<void> {
  const refuse = (problem: string, remedy: string): never => {
    throw new ConfigError(problem, { place: 'NAME', remedy });
  };
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    refuse(`'${name}' is no name of a plugin: it needs lower-case letters and digits, beginning with a letter, parted by single dashes`, `Choose one such as 'my-method'.`);
  }
  if (name.length > LONGEST) refuse(`the name has ${name.length} characters`, `Choose one of at most ${LONGEST}.`);
  const other = (await openRegistry().list()).find((plugin) => plugin.name === name);
  if (other !== undefined) refuse(`a plugin '${name}' is installed already (${other.package})`, 'Choose another name.');
}

/** The files of a new plugin's package: text by path inside it. */
export function pluginFiles(name: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { dependencies: Record<string, string> };
  const range = (dependency: string): string => manifest.dependencies[dependency] ?? `^${CORE_VERSION}`;
  const words: Record<string, string> = {
    __NAME__: name,
    __CORE__: range('@mimlab/core'),
    __NN__: range('@mimlab/nn'),
    __TFJS__: range('@tensorflow/tfjs-core'),
    __ZOD__: range('zod'),
  };
  const found = readdirSync(TEMPLATES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith(ENDING));
  return Object.fromEntries(
    found.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, 'utf8').replace(/__[A-Z]+__/g, (word) => words[word] ?? word);
      const path = relative(TEMPLATES, file).slice(0, -ENDING.length);
      // npm leaves out files of this name when it packs, so the template has another.
      return [path === 'gitignore' ? '.gitignore' : path, text];
    }),
  );
}

/** Writes a whole plugin package, or nothing. @throws ConfigError for a bad name or a folder that exists. */
export async function newPlugin(name: string, { output }: NewPluginOptions, terminal: Terminal): Promise<string> {
  await checkPluginName(name);
  const folder = resolve(output ?? `mimlab-plugin-${name}`);
  if (existsSync(folder)) throw new ConfigError('exists already', { place: folder, remedy: 'Name another folder with --output; nothing has been written.' });
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    for (const [path, text] of Object.entries(pluginFiles(name))) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), text);
    }
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  terminal.note(`Wrote a plugin that works. Next: cd ${relative(process.cwd(), folder) || '.'} && npm install && npm test`);
  terminal.note('Its README goes through it hook by hook.');
  terminal.out(folder);
  return folder;
}
