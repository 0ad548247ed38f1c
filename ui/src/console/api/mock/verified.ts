/** Codes of invented receipts and reports, and what the invented server knows of them. */
import { ApiFailure } from '../failure';
import type { Verified } from '../wire';
import { hoursAgo } from './data';

export const CODES = {
  use: 'C01J-D7PW-300F-AY9V-VR14-D2PF-2DB2',
  voided: 'C01J-DPKW-1Q8F-M91T-XR4H-V6B2-N0CQ',
  report: 'R01J-DPKW-000E-0080-0000-0000-0042',
  /** Of every branch, and before anything was used. */
  empty_report: 'R01J-DPKW-4T5C-H60Q-TN1E-R380-J79M',
  unknown_use: 'C01J-DPKW-2R7E-K80S-WQ3G-T5A1-M9B4',
  unknown_report: 'R01J-DPKW-5V4B-G50P-SM0D-Q270-H688',
} as const;

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function known(code: string): Verified | null {
  const use = { kind: 'use', entity_name: 'GYM CARIBE', branch_name: 'Sede Norte', tariff: 'B' } as const;
  const report = { kind: 'report', entity_name: 'GYM CARIBE' } as const;
  switch (code) {
    case CODES.use:
      return { ...use, occurred_at: hoursAgo(20), voided: false };
    case CODES.voided:
      return { ...use, occurred_at: hoursAgo(50), voided: true };
    case CODES.report:
      return {
        ...report,
        branches: ['Sede Norte', 'Sede Centro'],
        from: '2026-10-01T05:00:00Z',
        to: '2026-11-01T05:00:00Z',
        made_at: '2026-11-03T13:05:00Z',
        totals: [
          { tariff: 'A', uses: 1120 },
          { tariff: 'B', uses: 431 },
          { tariff: 'C', uses: 58 },
        ],
        voided: 2,
      };
    case CODES.empty_report:
      return {
        ...report,
        branches: [],
        from: '2026-11-21T05:00:00Z',
        to: '2026-11-22T05:00:00Z',
        made_at: hoursAgo(1),
        totals: [],
        voided: 0,
      };
    default:
      return null;
  }
}

/** Luhn's sum over 32 letters, as `crates/hanna-domain/src/verification.rs` reckons it. */
function is_whole(code: string): boolean {
  const letters = [...code.replaceAll('-', '')].reverse();
  const sum = letters.reduce((before, letter, place) => {
    const value = LETTERS.indexOf(letter) * (place % 2 === 0 ? 1 : 2);
    return before + Math.floor(value / 32) + (value % 32);
  }, 0);
  return letters.length === 28 && sum % 32 === 0;
}

export function verified(code: string): Verified {
  if (!is_whole(code)) throw new ApiFailure('INVALID');
  const found = known(code);
  if (!found) throw new ApiFailure('NOT_FOUND');
  return found;
}
