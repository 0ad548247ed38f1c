/** The document somebody asks about, as it is typed. Pure. */
import type { Document, DocumentKind } from '../../api/wire';

export const KINDS: readonly DocumentKind[] = ['CC', 'CE', 'TI', 'RC', 'PA', 'PPT'];

/** What is asked with; null when it can be no document of that kind. The server looks closer. */
export function readDocument(kind: DocumentKind, typed: string): Document | null {
  const number = typed.replace(/[\s.-]/g, '').toUpperCase();
  const shape = kind === 'PA' || kind === 'CE' ? /^[A-Z0-9]{3,20}$/ : /^\d{3,15}$/;
  return shape.test(number) ? { kind, number } : null;
}
