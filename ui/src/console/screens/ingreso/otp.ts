/** The second factor as it is typed: six digits, or one of the recovery codes. */

/** What is sent; null when it is neither. */
export function readOtp(typed: string): string | null {
  const kept = typed.replace(/[\s.-]/g, '').toUpperCase();
  if (/^\d{6}$/.test(kept)) return kept;
  return /^[A-Z2-7]{10}$/.test(kept) ? `${kept.slice(0, 5)}-${kept.slice(5)}` : null;
}

/** A secret in groups of four: it is copied by eye. */
export function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ');
}
