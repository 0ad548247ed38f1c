/** The rejected lines of an import, from the file in which the server says them: `linea;columna;motivo`. Pure. */

export interface Rejected {
  line: string;
  column: string;
  reason: string;
}

/** At most so many are shown; the file has all of them. */
export const SHOWN = 200;

export function readRejected(text: string): Rejected[] {
  const [, ...lines] = rows(text.replace(/^\uFEFF/, ''));
  return lines.map(([line = '', column = '', reason = '']) => ({ line, column, reason }));
}

/** Fields between semicolons; one in quotes may hold semicolons, line ends, and quotes written twice. */
function rows(text: string): string[][] {
  const found: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const end_row = () => {
    row.push(field);
    field = '';
    if (row.length > 1 || row[0] !== '') found.push(row);
    row = [];
  };
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[place + 1] === '"') {
        field += '"';
        place += 1;
      } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ';') {
      row.push(field);
      field = '';
    } else if (letter === '\n') end_row();
    else if (letter !== '\r') field += letter;
  }
  if (field !== '' || row.length > 0) end_row();
  return found;
}
