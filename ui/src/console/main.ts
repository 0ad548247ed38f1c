import { mount } from 'svelte';
import '../style/base.css';
import './components/rows.css';
import { startTheme } from '../theme';
import type { Api } from './api/api';
import Page from './Page.svelte';

/** The server behind the page; in the mock build an invented one, of which nothing is in the bundle that is shipped. */
async function chooseApi(): Promise<Api> {
  if (import.meta.env.MODE === 'console-mock') return (await import('./api/mock')).mockFromAddress();
  return new (await import('./api/client')).Client();
}

startTheme();

const target = document.getElementById('app');
if (!target) throw new Error('console.html has no #app');
mount(Page, { target, props: { api: await chooseApi() } });
