/** Limits of the contract (`hanna-wire`) that forms say before the server does. */

/** The longest name, in characters. */
export const NAME_MAX = 120;
/** The longest reason of a rejection, in characters. */
export const REASON_MAX = 500;
/** The longest purpose of a search in the audit, in characters. */
export const PURPOSE_MAX = 120;
/** The largest file of affiliates, in bytes. */
export const IMPORT_MAX_BYTES = 512 * 1024 * 1024;
/** Of terms of an agreement, as `[least, most]`. */
export const TERMS = {
  daily_limit: [1, 1000],
  validity_h: [1, 48],
  void_window_min: [0, 1440],
  offline_days_max: [0, 60],
  retention_days: [1, 365],
} as const;
/** The most years an agreement lasts. */
export const AGREEMENT_YEARS_MAX = 50;
