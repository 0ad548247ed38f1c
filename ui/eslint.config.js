import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const typed = { projectService: { allowDefaultProject: ['*.js'] }, extraFileExtensions: ['.svelte'] };

export default ts.config(
  {
    ignores: [
      'dist/',
      'dist-console/',
      '.mock-dist/',
      '.mock-dist-console/',
      '.shots/',
      'node_modules/',
      'src/bindings/',
      'scripts/fixtures/',
    ],
  },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.browser } } },
  { files: ['scripts/**', '*.js', '*.ts'], languageOptions: { globals: globals.node } },
  {
    files: ['**/*.ts', '**/*.svelte'],
    languageOptions: { parserOptions: { ...typed, parser: ts.parser, svelteConfig } },
    rules: {
      // A promise nobody waits for is an error nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/backend/tauri.ts', 'src/console/api/http.ts'],
    rules: {
      // The screens reach the world through the backend interface alone, the console's through its `Api`.
      'no-restricted-globals': ['error', 'fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'],
      'no-restricted-imports': ['error', { patterns: ['@tauri-apps/*'] }],
    },
  },
);
