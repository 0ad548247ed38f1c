import type { Paging } from '../api/api';
import type { Page } from '../api/wire';

/** So many pages are asked for at most: no list of the caja is longer, and none may keep a page waiting for ever. */
const PAGES_MAX = 40;
const ROWS = 500;

/** Every row of a list, for what can only be judged with all of them at hand. */
export async function allPages<Row>(fetch: (paging: Paging) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { items, next } = await fetch({ after, limit: ROWS });
    rows.push(...items);
    if (next === null) break;
    after = next;
  }
  return rows;
}
