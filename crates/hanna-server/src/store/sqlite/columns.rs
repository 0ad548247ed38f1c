//! How our types stand in columns.

use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::{AffiliateRole, AffiliateStatus, CompanyStatus, DocumentKind, Tariff, Verdict};
use hanna_wire::me::{ApplicationState, Role};
use hanna_wire::outbox::OutcomeKind;
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agreement::OverLimit;
use crate::secrets::{Mac, TokenHash};
use crate::store::AccountState;

/// A moment, as microseconds since 1970: what PostgreSQL's `timestamptz` keeps too.
pub struct Micros(pub Timestamp);

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A Colombian day, as `YYYY-MM-DD`.
pub struct Day(pub Date);

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl FromSql for Day {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A list, as JSON.
pub struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A word of a closed set, as its code.
pub struct Word<T>(pub T);

/// A row holds a word this program does not know: the database is damaged, or of a program that did not say so.
#[derive(Debug, thiserror::Error)]
#[error("unknown {0}")]
struct UnknownWord(&'static str);

macro_rules! words {
    ($($type:ty),+ $(,)?) => {$(
        impl ToSql for Word<$type> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.code().into())
            }
        }

        impl FromSql for Word<$type> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$type>::from_code(value.as_str()?)
                    .map(Self)
                    .ok_or_else(|| FromSqlError::other(UnknownWord(stringify!($type))))
            }
        }
    )+};
}
words!(
    AccountState,
    AffiliateRole,
    AffiliateStatus,
    ApplicationState,
    CompanyStatus,
    DocumentKind,
    ItemCode,
    OutcomeKind,
    OverLimit,
    Role,
    Tariff,
    Verdict,
    VoidReason,
);

impl ToSql for TokenHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl ToSql for Mac {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}
