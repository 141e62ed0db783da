import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** What a package may import, downward only (docs/architecture.md). Tags are `scope:NAME` in each package.json. */
const layers = {
  core: [],
  nn: ['core'],
  engine: ['core'],
  data: ['core'],
  train: ['core', 'engine', 'data'],
  evaluate: ['core', 'nn', 'engine', 'data', 'train'],
  'plugin-mae': ['core', 'nn'],
  'plugin-simmim': ['core', 'nn'],
  'plugin-greenmim': ['core', 'nn'],
  'plugin-localmim': ['core', 'nn'],
  'plugin-mff': ['core', 'nn'],
  'plugin-tec': ['core', 'nn'],
  'pr-mim': ['core', 'nn'],
  conformance: ['core', 'nn', 'engine', 'data', 'train', 'pr-mim'],
  cli: ['core', 'nn', 'engine', 'data', 'train', 'evaluate'],
  integration: Object.keys({ core: 0, nn: 0, engine: 0, data: 0, train: 0, evaluate: 0, 'plugin-mae': 0, 'plugin-simmim': 0, 'plugin-greenmim': 0, 'plugin-localmim': 0, 'plugin-mff': 0, 'plugin-tec': 0, 'pr-mim': 0, conformance: 0, cli: 0 }),
};
/** Tests may import these besides. */
const forTests = ['conformance', 'engine'];

const constraints = (extra) =>
  Object.entries(layers).map(([name, allowed]) => ({
    sourceTag: `scope:${name}`,
    onlyDependOnLibsWithTags: [name, ...allowed, ...extra].map((scope) => `scope:${scope}`),
  }));
const boundaries = (extra) => ({
  '@nx/enforce-module-boundaries': ['error', { allow: [], enforceBuildableLibDependency: false, depConstraints: constraints(extra) }],
});

export default tseslint.config(
  { ignores: ['**/dist', '**/out-tsc', '**/node_modules', '**/runs', '**/.nx'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts'],
    rules: {
      ...boundaries([]),
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-empty-object-type': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  { files: ['**/*.test.ts'], rules: { ...boundaries(forTests), '@typescript-eslint/no-non-null-assertion': 'off' } },
  { files: ['packages/cli/src/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['**/*.mjs', '**/*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', performance: 'readonly' } } },
);
