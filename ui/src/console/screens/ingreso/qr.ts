/** A text as the dark modules of a QR code: one path, drawn by the page itself, because the policy allows no data: images. */
import encodeQR from 'qr';

export interface Qr {
  /** Modules a side, the quiet border included. */
  size: number;
  /** In units of a module. */
  path: string;
}

/** The standard asks for a quiet border of four modules. */
const BORDER = 4;

export function qrOf(text: string): Qr {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: BORDER });
  const runs = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size: modules.length, path: runs.join('') };
}
