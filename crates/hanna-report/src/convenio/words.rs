//! The report's words, dates and numbers, in the Spanish of Colombia.

use std::borrow::Cow;
use std::fmt::Display;

use hanna_domain::{Document, DocumentKind, UsageState};
use jiff::civil::{Date, DateTime};

use super::{ConvenioReport, Verifiable};

pub const TITLE: &str = "Reporte de Convenio";
pub const ALL_BRANCHES: &str = "Todas las sedes";
/// Stands where there is nothing to say.
pub const NOTHING: &str = "—";
pub const NOT_COMPLETE: &str = "Sin conexión: solo los usos registrados en este equipo.";
pub const NOT_COMPLETE_SHORT: &str = "Sin conexión: solo este equipo";
pub const PRIVACY: &str = "Contiene datos personales protegidos por la Ley 1581 de 2012.";

/// `22/11/2026`.
pub fn date(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// `22/11/2026 10:32`: of 24 hours, as everywhere in the application.
pub fn date_and_time(at: DateTime) -> String {
    format!("{} {:02}:{:02}", date(at.date()), at.hour(), at.minute())
}

/// `01/11/2026 – 22/11/2026`, or the one day.
pub fn range(from: Date, to: Date) -> String {
    if from == to { date(from) } else { format!("{} – {}", date(from), date(to)) }
}

/// `1.045.678.901`; a passport as it is.
pub fn document_number(document: &Document) -> Cow<'_, str> {
    if document.kind() == DocumentKind::PA {
        Cow::Borrowed(document.number())
    } else {
        Cow::Owned(thousands(document.number()))
    }
}

/// `4.862`.
pub fn count(number: impl Display + Copy) -> String {
    thousands(&number.to_string())
}

fn thousands(digits: &str) -> String {
    let mut dotted = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            dotted.push('.');
        }
        dotted.push(digit);
    }
    dotted
}

/// How a use stands, in the words of the window.
pub const fn state(state: UsageState) -> &'static str {
    match state {
        UsageState::Queued => "Por enviar",
        UsageState::Accepted => "Enviado",
        UsageState::AcceptedWithNote => "Enviado con observación",
        UsageState::NeedsAttention => "Requiere atención",
        UsageState::Withdrawn => "Desistido",
        UsageState::Voided => "Anulado",
    }
}

/// The branch the report is about, or that it is about all.
pub fn branch(report: &ConvenioReport) -> &str {
    report.branch_name.as_deref().unwrap_or(ALL_BRANCHES)
}

/// What the code on a report stands for.
pub fn verifiable(Verifiable { code, uses }: &Verifiable) -> String {
    let had = match uses {
        0 => "no tenía usos registrados".to_owned(),
        1 => "tenía registrado 1 uso".to_owned(),
        _ => format!("tenía registrados {} usos", count(*uses)),
    };
    format!("Código de verificación {code}. Al generar el reporte, Hanna {had} de este período.")
}

/// What PDF readers show in their title bar.
pub fn document_title(report: &ConvenioReport) -> String {
    format!("{TITLE} · {} · {}", report.entity_name, range(report.from, report.to))
}

/// What an empty report says.
pub fn no_uses(report: &ConvenioReport) -> String {
    let when = if report.from == report.to {
        format!("el {}", date(report.from))
    } else {
        format!("entre el {} y el {}", date(report.from), date(report.to))
    };
    let place = report.branch_name.as_deref().unwrap_or("ninguna sede");
    format!("No hay usos reportados {when} en {place}.")
}

/// Which rows the totals leave out, if any.
pub fn left_out(report: &ConvenioReport) -> Option<String> {
    let in_state = |wanted| report.rows.iter().filter(|row| row.state == wanted).count();
    let uses = |number, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{} {many}", count(number))),
    };
    let refused =
        uses(in_state(UsageState::NeedsAttention), "que requiere atención", "que requieren atención");
    let withdrawn = uses(in_state(UsageState::Withdrawn), "desistido", "desistidos");
    let voided = uses(in_state(UsageState::Voided), "anulado", "anulados");
    let parts: Vec<String> = [refused, withdrawn, voided].into_iter().flatten().collect();
    let left_out = match parts.split_last()? {
        (only, []) => only.clone(),
        (last, before) => format!("{} y {last}", before.join(", ")),
    };
    Some(format!("No se suman: {left_out}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date as day, datetime};

    #[test]
    fn dates_are_written_as_in_colombia() {
        assert_eq!(date_and_time(datetime(2026, 11, 2, 7, 5, 59, 0)), "02/11/2026 07:05");
        assert_eq!(range(day(2026, 11, 1), day(2026, 11, 22)), "01/11/2026 – 22/11/2026");
        assert_eq!(range(day(2026, 11, 1), day(2026, 11, 1)), "01/11/2026");
    }

    #[test]
    fn a_state_has_the_word_the_window_has_for_it() {
        let catalogue = include_str!("../../../../assets/i18n/es.json");
        for known in UsageState::ALL {
            let entry = format!("\"item_state_{known}\": \"{}\"", state(*known));
            assert!(catalogue.contains(&entry), "{entry}");
        }
    }

    #[test]
    fn numbers_have_their_dots_and_passports_none() {
        for (kind, number, printed) in [
            (DocumentKind::CC, "1045678901", "1.045.678.901"),
            (DocumentKind::CC, "123", "123"),
            (DocumentKind::PPT, "1234", "1.234"),
            (DocumentKind::TI, "10456789012", "10.456.789.012"),
            (DocumentKind::PA, "AV123456", "AV123456"),
            (DocumentKind::PA, "123456", "123456"),
        ] {
            let document = Document::parse(kind, number).expect("a document");
            assert_eq!(document_number(&document), printed);
        }
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1.234.567");
    }
}
