//! Where mail leaves: how it is configured.

use std::path::PathBuf;
use std::time::Duration;

use hanna_domain::Redacted;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use super::Mailer;

/// How long the mail server may take to answer anything.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Who writes where nobody was named: only for the folder.
const NOBODY: &str = "Hanna Convenios <hanna@localhost>";

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `smtps://USER:PASSWORD@HOST`, or `smtp://HOST?tls=required` for STARTTLS. None: mails are written to `folder`.
    pub smtp: Option<Redacted<String>>,
    /// Who writes: `Hanna Convenios <hanna@caja.co>`.
    pub from: Option<String>,
    /// Where mails are written to while there is no mail server.
    pub folder: PathBuf,
}

/// Why mail cannot leave as configured. Never names the password.
#[derive(Debug, thiserror::Error)]
pub enum MailFault {
    /// The address of the mail server.
    #[error("the mail server must be given as smtps://USER:PASSWORD@HOST, or smtp://HOST?tls=required: {0}")]
    Server(#[source] lettre::transport::smtp::Error),
    /// Codes would go over the network in clear.
    #[error("mail would go in clear to another machine: say smtps://, or smtp:// with ?tls=required")]
    InClear,
    /// Who writes.
    #[error("the sender of mails must be given as NAME <ADDRESS>")]
    From,
    /// A mail server was named, but nobody who writes.
    #[error("there is a mail server, but no sender of mails")]
    NoFrom,
}

impl MailConfig {
    /// What sends mails.
    pub(crate) fn mailer(&self) -> Result<Mailer, MailFault> {
        let from = |text: &str| text.parse::<Mailbox>().map_err(|_| MailFault::From);
        let Some(url) = &self.smtp else {
            let from = from(self.from.as_deref().unwrap_or(NOBODY))?;
            return Ok(Mailer::to_folder(from, self.folder.clone()));
        };
        let url = url.expose();
        if !is_private(url) {
            return Err(MailFault::InClear);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(MailFault::Server)?
            .timeout(Some(ANSWER_MAX))
            .build();
        Ok(Mailer::to_server(from(self.from.as_deref().ok_or(MailFault::NoFrom)?)?, transport))
    }
}

/// Whether what goes there cannot be read on the way.
fn is_private(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("smtp://") else { return true };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |v6| v6.split(']').next());
    let is_here = host.is_some_and(|host| {
        host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    });
    is_here || rest.split(['?', '&']).any(|part| part == "tls=required")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(smtp: &str, from: Option<&str>) -> String {
        let config = MailConfig {
            smtp: Some(Redacted::new(smtp.into())),
            from: from.map(str::to_owned),
            folder: PathBuf::new(),
        };
        config.mailer().map_or_else(|fault| format!("{fault:?}"), |_| "none".into())
    }

    #[test]
    fn mail_goes_in_clear_to_this_machine_alone() {
        let from = Some("Hanna <hanna@caja.co>");
        for url in [
            "smtps://user:p%40ss@mail.caja.co",
            "smtp://user:pass@mail.caja.co:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
            "smtp://[::1]:25",
        ] {
            assert_eq!(fault(url, from), "none", "{url}");
        }
        for url in [
            "smtp://mail.caja.co",
            "smtp://mail.caja.co?tls=opportunistic",
            "smtp://localhost@mail.caja.co",
            "smtp://10.0.0.1:25",
            "smtp://localhost.caja.co",
        ] {
            assert_eq!(fault(url, from), "InClear", "{url}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said_without_the_password() {
        assert_eq!(fault("smtps://mail.caja.co", None), "NoFrom");
        assert_eq!(fault("smtps://mail.caja.co", Some("caja")), "From");
        let said = fault("http://user:secreto@mail.caja.co", Some("Hanna <hanna@caja.co>"));
        assert!(said.starts_with("Server") && !said.contains("secreto"), "{said}");
    }
}
