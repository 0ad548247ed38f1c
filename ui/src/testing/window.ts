/** The window over the invented desk, with hands and eyes for it: what a person sees and does, in time that stands still. */
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, vi } from 'vitest';
import App from '../App.svelte';
import { MockBackend } from '../backend/mock';
import type { Controls } from '../backend/mock/desk';
import { settle } from './hand';

let stop: (() => void) | undefined;
/** The invented desk behind the window that is open. */
export let backend: MockBackend;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
});

afterEach(close);

export function close(): void {
  stop?.();
  stop = undefined;
  document.body.innerHTML = '';
  location.hash = '';
}

/** Opens the window; as if somebody had signed in before, when they are named. */
export async function open(
  username?: string,
  sede?: string,
  controls: Partial<Controls> = {},
): Promise<void> {
  backend = new MockBackend(controls);
  if (username) backend.resume(username, sede);
  const app = mount(App, { target: document.body, props: { backend } });
  stop = () => void unmount(app);
  await pass(300);
}

/** Lets time go on, and what it brings. */
export async function pass(time_ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time_ms);
  await settle();
  flushSync();
}

export const find = (testid: string) => document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);

export function see(testid: string): HTMLElement {
  const element = find(testid);
  if (!element) throw new Error(`${testid} is not on the screen`);
  return element;
}

export const text = (testid: string) => see(testid).textContent?.replace(/\s+/g, ' ').trim();

/** Types into a field, in place of what is there. */
export async function write(testid: string, value: string): Promise<void> {
  const input = see(testid) as HTMLInputElement;
  input.value = value;
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  await pass(0);
}

/** Presses a key where the focus is. */
export async function press(key: string, init: KeyboardEventInit = {}): Promise<void> {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }));
  if (key === 'Enter' && target instanceof HTMLInputElement) target.form?.requestSubmit();
  await pass(300);
}

export async function click(testid: string): Promise<void> {
  see(testid).click();
  await pass(300);
}

/** Goes to a screen by its address, as links and "back" do. */
export async function visit(hash: string): Promise<void> {
  location.hash = hash;
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  await pass(300);
}
