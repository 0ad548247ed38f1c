//! `GET /v1/me`: who is signed in, and what they may do.

use axum::Json;
use axum::extract::State;
use hanna_domain::{DeskPolicy, colombia};
use hanna_wire::me::Me;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::application;
use crate::extract::Entering;
use crate::fault::Fault;
use crate::openapi::{ENTERING, route_faults};
use crate::reference::Reference;
use crate::store::Surroundings;
use hanna_wire::agreement::AgreementTerms;

route_faults!(ENTERING);

/// Who is signed in
///
/// The person, the entity, the roles, the branches assigned, the applications with their state, and how the desk
/// behaves.
#[utoipa::path(
    get,
    path = path::ME,
    operation_id = "me",
    tag = "session",
    security(("session" = [])),
    responses(
        (status = 200, description = "The account and its surroundings.", body = Me, headers(("ETag" = String, description = "Names what is said here. Sent back in `If-None-Match`, it is answered 304 while that is the same."))),
        (status = 304, description = "Still what `If-None-Match` names.", headers(("ETag" = String, description = "Names what is said here. Sent back in `If-None-Match`, it is answered 304 while that is the same."))),
        Faults
    )
)]
pub async fn handler(
    State(app): State<App>,
    Entering(caller): Entering,
) -> Result<Reference<Json<Me>>, Fault> {
    let today = colombia::day_of(app.clock().now());
    let surroundings = app.store().surroundings(caller.account_id, today).await?;
    let Surroundings { operator, entity, roles, branches, applications, agreements } =
        surroundings.ok_or(Fault::new(ErrorCode::SessionExpired))?;
    let applications = if entity.is_some() { application::tiles(&applications) } else { Vec::new() };
    Ok(Reference(Json(Me {
        operator,
        entity,
        roles,
        branches,
        applications,
        policy: policy(&agreements),
        second_factor: caller.second_factor,
    })))
}

/// One policy for a desk that may stand in several branches: of each term the strictest, whichever agreement it is of.
/// The server judges by the agreement of the branch.
fn policy(agreements: &[AgreementTerms]) -> DeskPolicy {
    let usual = DeskPolicy::default();
    let strictest =
        |term: fn(&AgreementTerms) -> u32, usual| agreements.iter().map(term).min().unwrap_or(usual);
    DeskPolicy {
        daily_limit: strictest(|agreement| agreement.daily_limit, usual.daily_limit),
        void_window_min: strictest(|agreement| agreement.void_window_min, usual.void_window_min),
        offline_days_max: strictest(|agreement| agreement.offline_days_max, usual.offline_days_max),
        retention_days: strictest(|agreement| agreement.retention_days, usual.retention_days),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use jiff::civil::date;
    use serde_json::json;

    use super::policy;
    use crate::agreement::tests::agreement;
    use crate::testing::Bench;
    use hanna_wire::agreement::AgreementTerms;

    #[tokio::test]
    async fn an_operator_sees_their_entity_branches_and_tiles() {
        let bench = Bench::open().await;
        let answer = bench.desk("RECEPCION-1").await.get(path::ME).await;
        assert_eq!(answer.status, StatusCode::OK);
        let me = answer.body;
        assert_eq!(me["operator"]["username"], bench.demo.accounts[0].username);
        assert_eq!(me["roles"], json!(["OPERATOR"]));
        let codes: Vec<&str> =
            me["branches"].as_array().expect("a list").iter().filter_map(|b| b["code"].as_str()).collect();
        assert_eq!(codes, bench.demo.accounts[0].branches);
        assert_eq!(me["applications"][0]["code"], "CONVENIOS");
        assert_eq!(me["applications"][0]["state"], "APPROVED");
        assert_eq!(
            me["policy"],
            json!({
                "answer_wait_ms": 3000, "daily_limit": 1, "clock_skew_max_min": 120, "void_window_min": 1440,
                "offline_days_max": 7, "retention_days": 30,
            })
        );
    }

    #[test]
    fn of_several_agreements_each_term_is_the_strictest() {
        let one = agreement(date(2026, 1, 1), date(2026, 12, 31));
        let other = AgreementTerms {
            daily_limit: 3,
            void_window_min: 0,
            offline_days_max: 2,
            retention_days: 90,
            ..one.clone()
        };
        let policy = policy(&[one, other]);
        assert_eq!((policy.daily_limit, policy.void_window_min), (1, 0));
        assert_eq!((policy.offline_days_max, policy.retention_days), (2, 30));
    }

    #[tokio::test]
    async fn an_account_without_branches_and_one_in_review_can_sign_in_and_see_why() {
        let bench = Bench::open().await;
        let nowhere = bench.desk_of(&bench.demo_account("sin.sede@gymcaribe.co"), "PC").await;
        assert_eq!(nowhere.get(path::ME).await.body["branches"], json!([]));
        let waiting = bench.desk_of(&bench.demo_account("karen.nunez@academiarumba.co"), "PC").await;
        assert_eq!(waiting.get(path::ME).await.body["applications"][0]["state"], "IN_REVIEW");
    }

    #[tokio::test]
    async fn nobody_is_told_anything_without_a_good_token() {
        let bench = Bench::open().await;
        for authorization in [None, Some("Bearer"), Some("Bearer x"), Some("Basic YTpi"), Some("Bearer  ")] {
            let answer = bench.get(path::ME, authorization).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "SESSION_EXPIRED"));
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}
