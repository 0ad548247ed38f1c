//! `POST /v1/lookups`: one question about one person.

use hanna_domain::Document;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The purpose stated when nothing else is (Ley 1581 de 2012).
pub const DEFAULT_PURPOSE: &str = "validar beneficio del convenio";

/// The question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupRequest {
    /// Made by the desk. Asking again under the same id is the same lookup.
    pub id: Uuid,
    /// Where it is asked.
    pub branch_id: Uuid,
    /// Whom it is about.
    pub document: Document,
    /// Why it is asked.
    #[schema(
        example = "validar beneficio del convenio",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub purpose: String,
}

/// `POST /v1/lookups/refresh`: people this branch consulted lately (*regulars*), to be verified again before their
/// statements end. Nobody stands at the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegularsRequest {
    /// Where they were consulted.
    pub branch_id: Uuid,
    /// 1 to 200 of them.
    #[schema(min_items = 1, max_items = 200)]
    pub regulars: Vec<Regular>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Regular {
    /// Made by the desk: the lookup it becomes.
    pub id: Uuid,
    /// Who it is.
    pub document: Document,
}

/// The statements, in the order of the regulars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegularsAnswer {
    /// As many as were asked for, or fewer, when the budget ended.
    #[schema(max_items = 200)]
    pub statements: Vec<String>,
    /// How many more this branch may ask for today.
    pub budget_left: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookupAnswer {
    /// A compact JWS over the claims of `Statement`, `typ` `hanna-statement+jwt`.
    #[schema(max_length = 16384)]
    pub statement: String,
}
