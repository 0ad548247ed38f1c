/**
 * What the audit answers: *¿quién consultó mis datos?*, everything there is of one person, and whether anybody changed it.
 *
 * `POST /v1/admin/audit/search` `{document, purpose, after?, limit?}` → {@link PersonAudit}
 * `POST /v1/admin/audit/export` `{document, purpose}` → a JSON file
 * `POST /v1/admin/audit/verify` `{anchor?}` → {@link Verification}
 */
import type { Reason } from '../../bindings/Reason';
import type { Verdict } from '../../bindings/Verdict';

/** Who looked a person up, and who else saw the data. */
export interface PersonAudit {
  /** One page of the lookups, the last one first. */
  items: Consulted[];
  next: string | null;
  /** Searches and exports at the caja, the last one first; on the first page only. */
  accesses: Access[];
}

/** An answer to a lookup. */
export interface Consulted {
  lookup_id: string;
  answered_at: string;
  entity_name: string;
  branch_name: string;
  device_name: string;
  operator_name: string;
  purpose: string;
  /** Nobody stood at the counter: a person consulted lately was verified again. */
  regular: boolean;
  /** The server was away, and the copy of the PC answered. */
  from_copy: boolean;
  verdict: Verdict;
  reasons: Reason[];
}

/** Somebody at the caja saw what is recorded of a person. */
export interface Access {
  at: string;
  act: 'PERSON_SEARCHED' | 'PERSON_EXPORTED';
  /** Whose account, if somebody was signed in. */
  account_name: string | null;
  /** `terminal:` and the user of the system, if nobody was. */
  by: string | null;
  purpose: string | null;
}

/** What reading the whole chain again found. */
export interface Verification {
  blocks: number;
  /** Acts that they seal. */
  sealed: number;
  /** Acts that are not sealed yet: whoever changed them could not be found out. */
  unsealed: number;
  /** `NUMBER:HASH` of the last block, to be kept elsewhere and asked with the next time. */
  anchor: string | null;
  /** What is not as it was, at most so many of each sort. */
  findings: string[];
  findings_total: number;
}
