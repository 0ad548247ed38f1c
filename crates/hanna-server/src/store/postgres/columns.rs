//! How our types stand in columns.

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::fault::{Done, Trouble};
use crate::secrets::{Mac, TokenHash};
use crate::store::BoxError;
use crate::store::words::{Coded, Word};

type Read<T> = Result<T, BoxError>;

/// 2000-01-01, from which PostgreSQL counts.
const EPOCH_US: i64 = 946_684_800_000_000;
/// 4713-11-24 before Christ, the first moment PostgreSQL knows.
const FIRST_US: i64 = -210_866_803_200_000_000;

/// A moment, to the microsecond. Earlier ones than PostgreSQL knows stand as its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Read<IsNull> {
        out.put_i64(self.0.as_microsecond().max(FIRST_US) - EPOCH_US);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Read<Self> {
        let since_us = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(Timestamp::from_microsecond(since_us.saturating_add(EPOCH_US))?))
    }

    accepts!(TIMESTAMPTZ);
}

/// A number that is never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u32);

impl ToSql for Count {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Read<IsNull> {
        i64::from(self.0).to_sql(kind, out)
    }

    accepts!(INT8);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Count {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Read<Self> {
        Ok(Self(u32::try_from(i64::from_sql(kind, raw)?)?))
    }

    accepts!(INT8);
}

impl<T: Coded + std::fmt::Debug> ToSql for Word<T> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Read<IsNull> {
        self.0.code().to_sql(kind, out)
    }

    accepts!(TEXT);
    to_sql_checked!();
}

impl<'a, T: Coded> FromSql<'a> for Word<T> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Read<Self> {
        Ok(Self::read(<&str>::from_sql(kind, raw)?)?)
    }

    accepts!(TEXT);
}

/// Words for a list.
pub fn words<T: Coded>(values: &[T]) -> Vec<Word<T>> {
    values.iter().copied().map(Word).collect()
}

/// Thirty-two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes32(pub [u8; 32]);

impl ToSql for Bytes32 {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Read<IsNull> {
        self.0.as_slice().to_sql(kind, out)
    }

    accepts!(BYTEA);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Bytes32 {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Read<Self> {
        Ok(Self(raw.try_into()?))
    }

    accepts!(BYTEA);
}

impl From<TokenHash> for Bytes32 {
    fn from(hash: TokenHash) -> Self {
        Self(hash.0)
    }
}

impl From<Mac> for Bytes32 {
    fn from(mac: Mac) -> Self {
        Self(mac.0)
    }
}

/// Reading rows, column by column.
pub trait Columns {
    /// The value of a column.
    fn value<'a, T: FromSql<'a>>(&'a self, column: usize) -> Done<T>;

    /// The value of a word's column.
    fn word<T: Coded>(&self, column: usize) -> Done<T> {
        Ok(self.value::<Word<T>>(column)?.0)
    }

    /// The value of a word's column, or nothing.
    fn word_or_none<T: Coded>(&self, column: usize) -> Done<Option<T>> {
        Ok(self.value::<Option<Word<T>>>(column)?.map(|word| word.0))
    }

    /// The values of a column of words.
    fn words<T: Coded>(&self, column: usize) -> Done<Vec<T>> {
        Ok(self.value::<Vec<Word<T>>>(column)?.into_iter().map(|word| word.0).collect())
    }

    /// A moment.
    fn moment(&self, column: usize) -> Done<Timestamp> {
        Ok(self.value::<Moment>(column)?.0)
    }

    /// A number that is never negative.
    fn count(&self, column: usize) -> Done<u32> {
        Ok(self.value::<Count>(column)?.0)
    }
}

impl Columns for Row {
    fn value<'a, T: FromSql<'a>>(&'a self, column: usize) -> Done<T> {
        self.try_get(column).map_err(|error| Trouble::Unreadable(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_microseconds_and_end_where_postgresql_begins() {
        let there_and_back = |at: Timestamp| {
            let mut bytes = BytesMut::new();
            Moment(at).to_sql(&Type::TIMESTAMPTZ, &mut bytes).expect("written");
            Moment::from_sql(&Type::TIMESTAMPTZ, &bytes).expect("read").0
        };
        for text in ["2026-11-22T17:00:00.123456Z", "1969-12-31T23:59:59.999999Z", "9999-12-30T00:00:00Z"] {
            let at: Timestamp = text.parse().expect("a timestamp");
            assert_eq!(there_and_back(at), at);
        }
        let first = there_and_back(Timestamp::MIN);
        assert_eq!(first.to_string(), "-004713-11-24T00:00:00Z");
    }
}
