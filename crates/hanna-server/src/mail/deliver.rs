//! Taking mails out of the queue and handing them on.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::sync::Notify;

use super::template::{self, Written};
use crate::app::App;
use crate::store::{BoxError, Mail, StoreError};

/// How often the queue is looked into when nobody of this process put anything there.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How many mails are taken at once.
const AT_ONCE: u32 = 5;
/// How long the mail server may take for one.
const SENT_WITHIN: Duration = Duration::from_secs(30);
/// How long a sender may take for them, before others may send them too. Longer than the mail server may take for all.
const HELD_FOR: SignedDuration = SignedDuration::from_mins(3);
const FIRST_PAUSE_S: u32 = 5;
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);

/// What sends mails.
pub struct Mailer {
    from: Mailbox,
    way: Way,
    /// Something was put into the queue.
    wake: Notify,
}

enum Way {
    Server(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Nobody answers a mail of ours, and no holiday notice either (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mailer {
    pub(super) fn to_server(from: Mailbox, transport: AsyncSmtpTransport<Tokio1Executor>) -> Self {
        Self { from, way: Way::Server(transport), wake: Notify::new() }
    }

    pub(super) fn to_folder(from: Mailbox, folder: PathBuf) -> Self {
        Self { from, way: Way::Folder(folder), wake: Notify::new() }
    }

    /// The folder mails are written to, when there is no mail server.
    pub fn folder(&self) -> Option<&Path> {
        match &self.way {
            Way::Server(_) => None,
            Way::Folder(folder) => Some(folder),
        }
    }

    /// Something was put into the queue.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The error never names the recipient.
    async fn send(&self, mail: &Mail) -> Result<(), BoxError> {
        let message = self.message(mail)?;
        match &self.way {
            Way::Server(transport) => {
                match tokio::time::timeout(SENT_WITHIN, transport.send(message)).await {
                    Ok(Ok(_)) => Ok(()),
                    // What the server says may repeat the address.
                    Ok(Err(error)) => Err(said_by_server(&error).into()),
                    Err(_) => Err("the mail server took too long".into()),
                }
            }
            Way::Folder(folder) => {
                let (folder, name) = (folder.clone(), mail.id.to_string());
                let bytes = message.formatted();
                Ok(tokio::task::spawn_blocking(move || write_private(&folder, &name, &bytes)).await??)
            }
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, BoxError> {
        let Written { subject, text, html } = template::write(mail.kind, mail.fields.expose());
        let to = mail.recipient.expose().parse().map_err(|_| "the recipient is no address")?;
        Ok(Message::builder()
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .date(SystemTime::from(mail.made_at))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(text, html))?)
    }
}

fn said_by_server(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "the mail server's certificate is not good, or it speaks no TLS".to_owned(),
        None => "the mail server cannot be reached, or does not speak SMTP".to_owned(),
    }
}

/// A mail has a code in it: the file is its owner's alone, and is there as a whole or not at all.
fn write_private(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let begun = folder.join(format!("{name}.part"));
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&begun)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    std::fs::rename(begun, folder.join(format!("{name}.eml")))
}

impl App {
    /// Sends what is in the queue, and what comes into it, until `shutdown`.
    pub async fn run_mail(&self, shutdown: impl Future<Output = ()>) {
        if let Some(folder) = self.mailer().folder() {
            tracing::warn!(folder = %folder.display(), "no mail server is configured: mails are written to a folder");
        }
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            if let Err(error) = self.deliver_mail().await {
                tracing::warn!(%error, "the queue of mails could not be read");
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.mailer().wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Sends what may be sent now.
    ///
    /// # Errors
    /// When the queue cannot be read or written; a mail that cannot be sent stays in it.
    pub async fn deliver_mail(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock().now();
            let turn = self.store().next_mails(now, now + HELD_FOR, AT_ONCE).await?;
            if turn.expired > 0 {
                tracing::error!(mails = turn.expired, "mails expired before they could be sent");
            }
            if turn.mails.is_empty() {
                return Ok(());
            }
            for mail in turn.mails {
                let kind = mail.kind.code();
                match self.mailer().send(&mail).await {
                    Ok(()) => {
                        self.store().mail_sent(mail.id).await?;
                        tracing::info!(mail_id = %mail.id, kind, attempts = mail.attempts, "mail sent");
                    }
                    Err(error) => {
                        let pause = pause_after(mail.attempts);
                        self.store().mail_failed(mail.id, self.clock().now() + pause).await?;
                        let pause_s = pause.as_secs();
                        tracing::warn!(mail_id = %mail.id, kind, attempts = mail.attempts, pause_s, %error, "mail not sent");
                    }
                }
            }
        }
    }
}

/// How long a mail waits after so many attempts.
fn pause_after(attempts: u32) -> SignedDuration {
    let doubled = FIRST_PAUSE_S.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    SignedDuration::from_secs(doubled.into()).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        let pauses_s = [1, 2, 3, 8, 9, 40, u32::MAX].map(|attempts| pause_after(attempts).as_secs());
        assert_eq!(pauses_s, [5, 10, 20, 640, 900, 900, 900]);
    }
}
