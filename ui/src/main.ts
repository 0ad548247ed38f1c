import { mount } from 'svelte';
import App from './App.svelte';
import type { Backend } from './backend/backend';
import './style/base.css';
import { startTheme } from './theme';

/**
 * The desk behind the window; outside a window (`npm run dev`, the mock build) an invented one. `MODE` is replaced when
 * building, so that nothing invented is in the bundle that is shipped.
 */
async function chooseBackend(): Promise<Backend> {
  if (
    import.meta.env.MODE === 'mock' ||
    (import.meta.env.MODE === 'development' && !('__TAURI_INTERNALS__' in window))
  ) {
    return (await import('./backend/mock')).mockFromAddress();
  }
  return (await import('./backend/tauri')).backend;
}

startTheme();

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target, props: { backend: await chooseBackend() } });
