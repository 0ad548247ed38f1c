//! Every limit of the contract. Server and client enforce the same numbers.

/// The largest request or answer body, in bytes.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// The largest head of a request, in bytes.
pub const HEAD_MAX_BYTES: usize = 32 * 1024;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// The most items in one outbox batch.
pub const BATCH_ITEMS_MAX: usize = 500;
/// The most items a desk can say that wait.
pub const WAITING_MAX: u64 = 1_000_000_000;
/// The most regulars in one request.
pub const REGULARS_MAX: usize = 200;
/// The longest text of a void or of a withdrawal, in characters.
pub const REASON_TEXT_MAX: usize = 200;
/// The most rows in one page of a list.
pub const PAGE_MAX: u32 = 500;
/// The longest user name, in characters.
pub const USERNAME_MAX: usize = 120;
/// The longest password, in characters.
pub const PASSWORD_MAX: usize = 256;
/// Characters of what says where a page ended.
pub const CURSOR_MAX: usize = 256;
/// The longest name of a person or an entity, in characters.
pub const NAME_MAX: usize = 120;
/// How many digits a mailed code has.
pub const CODE_DIGITS: usize = 6;
/// The longest name of a device, in characters.
pub const DEVICE_NAME_MAX: usize = 120;
/// The longest purpose of a lookup, in characters.
pub const PURPOSE_MAX: usize = 120;
/// The longest range of a history query, in days.
pub const HISTORY_DAYS_MAX: i64 = 400;
/// The largest file of affiliates that is taken in, in bytes.
pub const IMPORT_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// The largest attachment, in bytes.
pub const ATTACHMENT_MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most attachments of an entity that no request names yet.
pub const ATTACHMENTS_WAITING_MAX: u32 = 20;
/// The most branches of an application request.
pub const REQUEST_BRANCHES_MAX: usize = 50;
/// The longest description of a benefit, in characters.
pub const BENEFIT_MAX: usize = 500;
/// The longest address of a branch, in characters.
pub const ADDRESS_MAX: usize = 200;
/// The longest reason of a decision, in characters.
pub const DECISION_REASON_MAX: usize = 500;
/// The longest search in a list, in characters.
pub const SEARCH_MAX: usize = 120;
/// The longest name of a file, in characters.
pub const FILE_NAME_MAX: usize = 255;
/// The most branches of one agreement.
pub const AGREEMENT_BRANCHES_MAX: usize = 500;
