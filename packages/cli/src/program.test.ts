import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from './program.js';
import { recordedTerminal } from './terminal.test-support.js';

async function failure(...args: string[]): Promise<{ readonly error: unknown; readonly notes: string }> {
  const terminal = recordedTerminal();
  const error: unknown = await createProgram(terminal)
    .parseAsync(['node', 'mimlab', ...args])
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  return { error, notes: terminal.notes.join('\n') };
}

describe('the command line', () => {
  // Scripts and papers depend on these: change them only with a reason that a user would accept.
  it('keeps its commands, arguments and flags', () => {
    const program = createProgram(recordedTerminal());
    const surface = program.commands.map((command) => [
      command.name(),
      command.registeredArguments.map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}${argument.variadic ? '...' : ''}]`)).join(' '),
      command.options.map(({ flags, defaultValue }) => (defaultValue === undefined ? flags : `${flags} = ${JSON.stringify(defaultValue)}`)).join(', '),
    ]);
    expect(program.options.map(({ flags }) => flags)).toEqual(['-V, --version', '--verbose']);
    expect(surface).toEqual([
      ['pretrain', '[config]', '--set <key=value> = [], --resume <run>, --output <dir>'],
      [
        'reconstruct',
        '<run> [images...]',
        '--statistics <source> = "visible", --count <n> = 8, --seed <n> = 0, --weights <file>, --output <file>',
      ],
      [
        'evaluate',
        '<model>',
        '--protocol <name>, --data <set>, --set <key=value> = [], --labels <budget> = "all", --seed <n> = 0, --config <config>, --untrained, --no-leak-check, --output <dir>',
      ],
      ['sweep', '<file>', '--set <key=value> = [], --store <dir> = "runs/store", --processes <n> = 1, --threads <n>, --format <format> = "terminal", --output <file>'],
      ['report', '<runs>', '--output <file>, --images <n> = 8, --no-pictures'],
      [
        'table',
        '<id>',
        '--analytic, --scale <scale>, --quick, --seeds <n> = 1, --set <key=value> = [], --store <dir> = "runs/store", --processes <n> = 1, --threads <n>, --no-cost, --rows <list>, --format <format> = "terminal", --output <file>',
      ],
      ['corrupt', '<folder> <output>', '--names <list>, --severities <list>, --seed <n> = 0, --size <n>, --parameters <set> = "imagenet"'],
      ['flops', '<config>', '--set <key=value> = [], --json, --count <which> = "paper", --memory'],
      [
        'deviation',
        '<runs>',
        '--weights <which>, --methods <list> = "subset:random,partial:random,progressive:furthest", --throw <list> = "0.25,0.5,0.65", --set <key=value> = [], --batches <n> = 8, --plans <n> = 4, --batch <n>, --fit <n> = 300, --seed <n> = 0, --output <dir> = "runs/deviation"',
      ],
      ['figure', '', ''],
      ['doctor', '', '--json'],
      ['schema', '', '--output <file>'],
      ['plugins', '', '--json'],
      ['presets', '', '--json'],
      ['new', '<what> <name>', '--output <dir>'],
      ['quickstart', '', '--output <dir>'],
    ]);
  });

  it('keeps its figures, each with the options that it has use for', () => {
    const figures = createProgram(recordedTerminal()).commands.find((command) => command.name() === 'figure')?.commands ?? [];
    expect(figures.map((figure) => [figure.name(), figure.options.map(({ long }) => long).join(' ')])).toEqual([
      ['1', '--output --title'],
      ['4', '--output --methods'],
      ['5', '--output --set --seed'],
      ['6', '--output'],
      ['7', '--output --image --count --names --seed --statistics'],
    ]);
  });

  it('shows an example in the help of every command', async () => {
    for (const command of createProgram(recordedTerminal()).commands) {
      const terminal = recordedTerminal();
      await createProgram(terminal)
        .parseAsync(['node', 'mimlab', command.name(), '--help'])
        .catch(() => undefined);
      const help = terminal.lines.join('\n');
      expect(help).toContain(`Example:\n  $ mimlab ${command.name()}`);
      expect(help).toContain('--verbose');
    }
  });

  it('collects every --set in order', async () => {
    const { error } = await failure('flops', 'mae/vit-b16-in1k', '--set', 'seed=x', '--set', 'seed=1', '--set', 'method.depth=y');
    expect((error as Error).message).toMatch(/method\.depth=y/);
    expect((error as Error).message).not.toContain('seed');
  });

  it('names a configuration that there is not', async () => {
    const { error } = await failure('pretrain', 'no-such-file');
    expect((error as Error).message).toContain('no such file or preset');
  });

  it('refuses unknown commands and options with a hint', async () => {
    const command = await failure('pretrian', 'x');
    expect(command.error).toBeInstanceOf(CommanderError);
    expect(command.notes).toContain("Did you mean pretrain?");
    const option = await failure('pretrain', 'x', '--outputs', 'y');
    expect(option.notes).toContain('--output');
  });

  it('refuses a count that is no number and a choice that is none', async () => {
    expect((await failure('reconstruct', 'x', '--count', 'many')).notes).toContain('A whole number from 1 up is expected.');
    expect((await failure('flops', 'x', '--count', 'real')).notes).toContain('Allowed choices are paper, executed.');
  });

  it.each(['', ' ', '-1', '1.5', 'NaN', 'Infinity', '9007199254740993', '3x'])("refuses '%s' as a seed", async (text) => {
    const { error, notes } = await failure('reconstruct', 'x', '--seed', text);
    expect(error).toBeInstanceOf(CommanderError);
    expect(notes).toContain('A whole number from 0 up is expected.');
  });

  it('takes 0 as a seed and not as a count', async () => {
    expect((await failure('reconstruct', 'no-such-run', '--seed', '0')).error).not.toBeInstanceOf(CommanderError);
    expect((await failure('reconstruct', 'no-such-run', '--count', '0')).notes).toContain('A whole number from 1 up is expected.');
  });

  it('refuses an option that would have no effect beside another', async () => {
    expect((await failure('flops', 'x', '--memory', '--count', 'executed')).notes).toContain("'--memory' cannot be used with option '--count <which>'");
    expect((await failure('report', 'x', '--no-pictures', '--images', '3')).notes).toContain("'--no-pictures' cannot be used with option '--images <n>'");
    expect((await failure('figure', '7', 'x', '--image', 'a.png', '--count', '3')).notes).toContain("'--image <file>' cannot be used with option '--count <n>'");
    const counted = await failure('reconstruct', 'x', 'a.png', '--count', '3');
    expect([counted.error instanceof CommanderError, counted.notes]).toEqual([true, expect.stringContaining("'--count <n>' counts test images")]);
    expect((await failure('flops', 'no-such-preset', '--memory')).error).not.toBeInstanceOf(CommanderError);
  });

  it('will not resume into another folder', async () => {
    const { error } = await failure('pretrain', '--resume', 'a', '--output', 'b');
    expect((error as Error).message).toContain('a resumed run stays in its folder');
  });

  it('asks for a configuration where none is given', async () => {
    const { error } = await failure('pretrain');
    expect((error as Error).message).toContain('mimlab presets');
  });
});

describe('commands without an engine', () => {
  it('list presets with what they are', async () => {
    const terminal = recordedTerminal();
    await createProgram(terminal).parseAsync(['node', 'mimlab', 'presets', '--json']);
    const presets = JSON.parse(terminal.lines.join('\n')) as { name: string; description: string; rows: string[] }[];
    const names = presets.map(({ name }) => name);
    for (const name of ['mae/vit-b16-in1k', 'mae/vit-b16-in1k-pr50', 'mae/vit-l16-in1k', 'mae/vit-l16-in1k-pr50', 'mae/mnist-quickstart']) expect(names).toContain(name);
    expect(presets.every(({ description }) => description.length > 10)).toBe(true);
    expect(presets.find(({ name }) => name === 'mae/vit-b16-in1k-pr50')).toMatchObject({ rows: ['t3-09', 't7-03', 't8-03', 't9-03', 't10-03'] });
  });

  it('list the plugins that are installed', async () => {
    const terminal = recordedTerminal();
    await createProgram(terminal).parseAsync(['node', 'mimlab', 'plugins']);
    expect(terminal.lines.join('\n')).toMatch(/^mae +method +0\.1\.0 .*sampler, encoder, decoder, target +arXiv:2111\.06377$/m);
    expect(terminal.lines.join('\n')).toMatch(/^pr-mim +wrapper/m);
  });

  it('print a schema that knows sections and plugins', async () => {
    const terminal = recordedTerminal();
    await createProgram(terminal).parseAsync(['node', 'mimlab', 'schema']);
    const schema = JSON.parse(terminal.lines.join('\n')) as { properties: Record<string, unknown>; $defs: Record<string, { properties: Record<string, unknown> }> };
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['extends', 'method', 'wrap', 'data', 'train', 'engine']));
    expect(Object.keys(schema.$defs['mae']?.properties ?? {})).toContain('maskRatio');
    expect(Object.keys(schema.$defs['pr-mim']?.properties ?? {})).toContain('throw');
  });
});
