/** Light, dark, or as the system says. Remembered on this PC. */

export const THEMES = ['auto', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

const STORED_UNDER = 'hanna.theme';
const darkSystem = window.matchMedia('(prefers-color-scheme: dark)');

export function storedTheme(): Theme {
  const stored = localStorage.getItem(STORED_UNDER);
  return THEMES.find((theme) => theme === stored) ?? 'auto';
}

export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
}

/** Shows `theme` and remembers it. */
export function applyTheme(theme: Theme): void {
  localStorage.setItem(STORED_UNDER, theme);
  show(theme);
}

/** Shows the remembered theme, and follows the system while it is `auto`. */
export function startTheme(): void {
  show(storedTheme());
  darkSystem.addEventListener('change', () => show(storedTheme()));
  // Paper is white.
  window.addEventListener('beforeprint', () => document.documentElement.classList.remove('dark'));
  window.addEventListener('afterprint', () => show(storedTheme()));
}

function show(theme: Theme): void {
  const dark = theme === 'dark' || (theme === 'auto' && darkSystem.matches);
  document.documentElement.dataset['theme'] = theme;
  // The class is what the colour scales of Radix switch on.
  document.documentElement.classList.toggle('dark', dark);
}
