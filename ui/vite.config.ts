// Two programs of the same parts: the screens of the desk, and (mode `console`) the caja's console, which the server serves
// at /admin. Each has a build with an invented desk or server behind it (`mock`, `console-mock`), for pictures.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const OUT_DIRS: Record<string, string> = {
  mock: '.mock-dist',
  console: 'dist-console',
  'console-mock': '.mock-dist-console',
};

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Relative addresses: the shell serves the bundle from its own scheme.
  base: mode.startsWith('console') ? '/admin/' : './',
  resolve: {
    alias: { $catalogue: here('../assets/i18n') },
    // Tests mount components: they need Svelte's browser half.
    ...(process.env['VITEST'] ? { conditions: ['browser'] } : {}),
  },
  server: { port: 1420, strictPort: true, fs: { allow: [here('.'), here('../assets/i18n')] } },
  build: {
    outDir: OUT_DIRS[mode] ?? 'dist',
    ...(mode.startsWith('console') ? { rolldownOptions: { input: here('console.html') } } : {}),
    // WebKitGTK 2.40, WebView2, and the WKWebView of macOS 13.3.
    target: ['safari16.4', 'chrome111'],
    // The policy of the window allows nothing inline: no data: addresses, not even for small files.
    assetsInlineLimit: 0,
  },
  test: {
    // A machine that builds something else beside it is slow, not wrong.
    testTimeout: 30_000,
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/testing/setup.ts'],
  },
}));
