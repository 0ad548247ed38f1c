/** What a code stands for, as `crates/hanna-wire/src/verification.rs` has it. Nothing in it is about a person. */
import type { Tariff } from '../../bindings/Tariff';

/** The use of a receipt. */
export interface VerifiedUse {
  entity_name: string;
  branch_name: string;
  occurred_at: string;
  tariff: Tariff;
  /** Whether it was taken back since. */
  voided: boolean;
}

/** What Hanna had on record of a range when a report of it was made. */
export interface VerifiedReport {
  entity_name: string;
  /** None for all of the entity's. */
  branches: string[];
  from: string;
  /** Does not belong to the range. */
  to: string;
  made_at: string;
  totals: { tariff: Tariff; uses: number }[];
  /** Uses that were taken back: they are in no other count. */
  voided: number;
}

export type Verified = ({ kind: 'use' } & VerifiedUse) | ({ kind: 'report' } & VerifiedReport);
