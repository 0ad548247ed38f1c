//! The Spanish sentences of the mails, in `templates/mail`: the first line is the subject, then come paragraphs. The HTML is
//! made of the same paragraphs; one that is nothing but a code is shown large.

use super::MailKind;
use crate::store::MailFields;

const FRAME: &str = include_str!("../../templates/mail/frame.html");

/// A mail in words.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: String,
}

const fn source(kind: MailKind) -> &'static str {
    match kind {
        MailKind::RegistrationCode => include_str!("../../templates/mail/registration_code.txt"),
        MailKind::AlreadyRegistered => include_str!("../../templates/mail/already_registered.txt"),
        MailKind::AccountApproved => include_str!("../../templates/mail/account_approved.txt"),
        MailKind::AccountRejected => include_str!("../../templates/mail/account_rejected.txt"),
        MailKind::PasswordCode => include_str!("../../templates/mail/password_code.txt"),
        MailKind::PasswordChanged => include_str!("../../templates/mail/password_changed.txt"),
        MailKind::ApplicationApproved => include_str!("../../templates/mail/application_approved.txt"),
        MailKind::ApplicationRejected => include_str!("../../templates/mail/application_rejected.txt"),
        MailKind::Invitation => include_str!("../../templates/mail/invitation.txt"),
        MailKind::PasswordReset => include_str!("../../templates/mail/password_reset.txt"),
    }
}

/// Writes a mail.
pub fn write(kind: MailKind, fields: &MailFields) -> Written {
    let (subject, body) = source(kind).split_once('\n').unwrap_or_default();
    let paragraphs: Vec<&str> = body.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    let text =
        paragraphs.iter().map(|text| fill(text, fields, str::to_owned)).collect::<Vec<_>>().join("\n\n")
            + "\n";
    let html: Vec<String> = paragraphs
        .iter()
        .map(|text| {
            let style = match *text {
                "{code}" => "margin:0 0 24px;font-size:32px;font-weight:bold;letter-spacing:6px",
                _ => "margin:0 0 16px",
            };
            format!("<p style=\"{style}\">{}</p>", fill(text, fields, escape))
        })
        .collect();
    // The paragraphs last: what people wrote is not a template.
    let html = FRAME.replace("{subject}", &escape(subject)).replace("{paragraphs}", &html.join("\n"));
    Written { subject: subject.to_owned(), text, html }
}

/// Puts the fields into their places, once: what stands in a field is no template.
fn fill(text: &str, fields: &MailFields, as_written: fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        filled.push_str(&as_written(before));
        filled.push_str(&as_written(fields.get(name).map_or("", String::as_str)));
        rest = behind;
    }
    filled + &as_written(rest)
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> MailFields {
        [
            ("name", "Ana {code} <b>"),
            ("entity", "GYM & CÍA"),
            ("code", "048213"),
            ("reason", "El NIT no coincide."),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    #[test]
    fn every_mail_has_a_subject_and_says_the_same_in_text_and_html() {
        for kind in MailKind::ALL {
            let Written { subject, text, html } = write(kind, &fields());
            assert!(subject.ends_with("Hanna Convenios") && !subject.contains('{'), "{kind:?}: {subject}");
            assert!(
                text.starts_with("Hola") && html.contains("<p style=\"margin:0 0 16px\">Hola"),
                "{kind:?}"
            );
            assert_eq!(
                html.matches("<p style=\"margin:0 0 ").count(),
                text.split("\n\n").count() + 1,
                "{kind:?}"
            );
            assert!(!html.contains("{paragraphs}") && !html.contains("{subject}"));
        }
    }

    #[test]
    fn what_people_wrote_is_neither_a_template_nor_html() {
        let written = write(MailKind::RegistrationCode, &fields());
        assert!(written.text.starts_with("Hola, Ana {code} <b>:\n\n"), "{}", written.text);
        assert!(written.text.contains("\n\n048213\n\n"));
        assert!(
            written.html.contains("Hola, Ana {code} &lt;b&gt;:") && written.html.contains("GYM &amp; CÍA")
        );
        assert!(written.html.contains("letter-spacing:6px\">048213</p>"));
    }
}
