import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Relative addresses: the shell serves the bundle from its own scheme.
  base: './',
  resolve: {
    alias: { $catalogue: here('../assets/i18n') },
    // Tests mount components: they need Svelte's browser half.
    ...(process.env['VITEST'] ? { conditions: ['browser'] } : {}),
  },
  server: { port: 1420, strictPort: true, fs: { allow: [here('.'), here('../assets/i18n')] } },
  build: {
    outDir: mode === 'mock' ? '.mock-dist' : 'dist',
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
