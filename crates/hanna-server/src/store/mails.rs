//! What is to be mailed: a queue that survives whatever happens to the mail server and to us.
//!
//! A mail is put into it by the transaction that gives the reason for it, and goes when it was sent, or when nobody would
//! want it any more. Sent at least once: a process that ends between sending and saying so sends again, under the same
//! `Message-ID`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hanna_domain::Redacted;
use jiff::Timestamp;
use uuid::Uuid;

use super::Result;
use crate::mail::MailKind;

/// What stands in the places of a template.
pub type MailFields = BTreeMap<String, String>;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// In its `Message-ID` too.
    pub id: Uuid,
    /// Which one.
    pub kind: MailKind,
    /// To whom.
    pub recipient: Redacted<String>,
    /// What stands in it.
    pub fields: Redacted<MailFields>,
    /// When it was put into the queue.
    pub made_at: Timestamp,
    /// After this it is not sent any more.
    pub expires_at: Timestamp,
    /// How often sending it was begun, this time too.
    pub attempts: u32,
}

/// What a sender gets to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailTurn {
    /// The oldest first.
    pub mails: Vec<Mail>,
    /// How many went out of the queue unsent because they had expired.
    pub expired: u64,
}

/// The queue.
#[async_trait]
pub trait MailQueue {
    /// Takes at most `limit` mails whose turn it is at `now`, and counts the attempt. Until `until` nobody else gets them:
    /// a sender that says nothing by then has ended. What has expired goes.
    async fn next_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<MailTurn>;

    /// The mail was sent: it goes.
    async fn mail_sent(&self, id: Uuid) -> Result<()>;

    /// The mail was not sent, and is tried again at `next`.
    async fn mail_failed(&self, id: Uuid, next: Timestamp) -> Result<()>;
}
