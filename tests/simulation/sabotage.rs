//! Deliberate bugs, to see that the laws notice them. None is in the product: each is done to what goes in or comes out
//! of it, or to its database, so that the desk behaves as if it had the bug.

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    DeletesWhatIsRefused,
    NewIdOnRetry,
    ConfirmsWithoutWriting,
    IgnoresExpiry,
    SkipsVerification,
    ForgetsWhatWasBeingSent,
    ClockMarkUnchecked,
    BelievesOthersStatements,
    CountsTimeoutAsDelivered,
    GreenOnError,
    DropsBehindARefusedOne,
}
