import { afterEach, beforeEach, vi } from 'vitest';

beforeEach(() => {
  document.body.innerHTML = '';
  localStorage.clear();
  location.hash = '';
});

afterEach(() => {
  vi.useRealTimers();
});
