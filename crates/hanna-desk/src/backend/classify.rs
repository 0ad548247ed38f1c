//! What an HTTP answer means: the one table.
//!
//! | answer | means | why |
//! |---|---|---|
//! | 2xx with the JSON of the call | an answer | |
//! | 2xx with anything else | `Unreadable` | a captive portal says 200 to everything; a cut body is no answer |
//! | 3xx | `Unreadable` | Hanna never redirects; portals do |
//! | 401 with a Hanna problem | `SessionExpired`, or the refusal it names | |
//! | 408, 425 | `TimedOut` | try again |
//! | 426 with a Hanna problem | `TooOld`: as if there were no server, until this program is updated | a refusal would be the item's fault |
//! | 429 | `SlowDown`, with `Retry-After` | |
//! | other 4xx with a Hanna problem | `Refused` | only Hanna can refuse |
//! | other 4xx without one | `Unreadable` | a proxy said it; it is nobody's verdict on the question |
//! | 5xx | `ServerFailed`, with `Retry-After` | |

use std::time::Duration;

use hanna_wire::problem::{ErrorCode, Problem};

use super::{Failure, FailureKind};

/// The longest `Retry-After` that is obeyed: a server that says more is asked again after this.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Classifies an answer that is not a success. `retry_after` is the header's text, in seconds.
pub fn classify(status: u16, body: &[u8], retry_after: Option<&str>) -> Failure {
    let problem = serde_json::from_slice::<Problem>(body).ok().filter(|problem| problem.status == status);
    let kind = match (status, problem) {
        (408 | 425, _) => FailureKind::TimedOut,
        (429, _) => FailureKind::SlowDown,
        (500..=599, _) => FailureKind::ServerFailed,
        (401, Some(problem)) if problem.code == ErrorCode::SessionExpired => FailureKind::SessionExpired,
        (426, Some(Problem { code: ErrorCode::ClientTooOld, minimum_version, .. })) => {
            minimum_version.map_or(FailureKind::Unreadable, FailureKind::TooOld)
        }
        (400..=499, Some(problem)) => FailureKind::Refused(problem.code),
        _ => FailureKind::Unreadable,
    };
    let waits = matches!(kind, FailureKind::SlowDown | FailureKind::ServerFailed);
    let retry_after = retry_after
        .filter(|_| waits)
        .and_then(|text| text.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    Failure { kind, retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: ErrorCode) -> Vec<u8> {
        serde_json::to_vec(&Problem::new(code, None, "t".into())).expect("json")
    }

    #[test]
    fn the_table() {
        let html = b"<html>Bienvenido al wifi</html>".to_vec();
        let cases = [
            (200, html.clone(), FailureKind::Unreadable),
            (302, vec![], FailureKind::Unreadable),
            (401, problem(ErrorCode::SessionExpired), FailureKind::SessionExpired),
            (401, problem(ErrorCode::WrongCredentials), FailureKind::Refused(ErrorCode::WrongCredentials)),
            (401, html.clone(), FailureKind::Unreadable),
            (403, problem(ErrorCode::BranchNotAllowed), FailureKind::Refused(ErrorCode::BranchNotAllowed)),
            (403, html.clone(), FailureKind::Unreadable),
            (404, html.clone(), FailureKind::Unreadable),
            (407, html.clone(), FailureKind::Unreadable),
            (408, vec![], FailureKind::TimedOut),
            (413, problem(ErrorCode::TooLarge), FailureKind::Refused(ErrorCode::TooLarge)),
            (425, vec![], FailureKind::TimedOut),
            (429, vec![], FailureKind::SlowDown),
            (500, problem(ErrorCode::Internal), FailureKind::ServerFailed),
            (502, html, FailureKind::ServerFailed),
            (503, vec![], FailureKind::ServerFailed),
        ];
        for (status, body, kind) in cases {
            assert_eq!(classify(status, &body, None).kind, kind, "{status}");
        }
    }

    #[test]
    fn only_hanna_says_that_this_program_is_too_old_and_with_the_version_to_install() {
        let minimum = "0.2.0".parse().expect("a version");
        let mut said = Problem::new(ErrorCode::ClientTooOld, None, "t".into());
        let of = |said: &Problem| classify(426, &serde_json::to_vec(said).expect("json"), None).kind;
        assert_eq!(of(&said), FailureKind::Unreadable, "to which?");
        said.minimum_version = Some(minimum);
        assert_eq!(of(&said), FailureKind::TooOld(minimum));
        assert_eq!(classify(426, b"Upgrade Required", None).kind, FailureKind::Unreadable);
        assert!(!FailureKind::TooOld(minimum).hanna_answered());
    }

    #[test]
    fn a_problem_that_names_another_status_is_not_hannas() {
        assert_eq!(classify(404, &problem(ErrorCode::SessionExpired), None).kind, FailureKind::Unreadable);
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        assert_eq!(classify(429, b"", Some("7")).retry_after, Some(Duration::from_secs(7)));
        assert_eq!(classify(503, b"", Some("99999999")).retry_after, Some(RETRY_AFTER_MAX));
        assert_eq!(classify(429, b"", Some("mañana")).retry_after, None);
    }
}
