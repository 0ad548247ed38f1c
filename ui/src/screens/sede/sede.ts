/** Searching and walking the list of sedes. Pure. */
import type { Branch } from '../../bindings/Branch';

/** Without accents and capitals: `bogota` finds `Bogotá`. */
function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();
}

/** The branches in which every word of `search` occurs, in the name, the city or the code. */
export function matching(branches: Branch[], search: string): Branch[] {
  const words = plain(search).split(/\s+/).filter(Boolean);
  return branches.filter(({ name, city, code }) => {
    const text = plain(`${name} ${city} ${code}`);
    return words.every((word) => text.includes(word));
  });
}

/** The place in a list of `count` after a key; it stops at the ends, so that a held key does not go round. */
export function move(key: string, index: number, count: number): number | null {
  const last = count - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, index + 1);
    case 'ArrowUp':
      return Math.max(0, index - 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
