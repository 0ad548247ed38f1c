//! *Reporte de Convenio*: the uses an entity reported in a range of days, for the caja.

mod columns;
mod layout;
#[cfg(test)]
mod layout_tests;
mod words;

use std::fmt;

use hanna_domain::{Document, Tariff, UsageState};
use jiff::civil::{Date, DateTime};

use crate::ReportError;
use crate::fonts::Fonts;
use crate::pdf::{self, Properties};
use layout::Layout;

/// What the report says. Personal data: `Debug` shows only how much there is of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConvenioReport {
    /// The business in agreement.
    pub entity_name: String,
    /// Its NIT, as it is to be read (`900.123.456-7`).
    pub entity_nit: String,
    /// The branch; `None`: all of them.
    pub branch_name: Option<String>,
    /// The first day.
    pub from: Date,
    /// The last day; it belongs to the range.
    pub to: Date,
    /// When the report was made, in Colombian time.
    pub generated_at: DateTime,
    /// Who made it.
    pub generated_by: String,
    /// False when the server could not be asked: then the rows are the uses this PC knows of.
    pub complete: bool,
    /// By what the caja can verify it; none when the server could not be asked.
    pub verifiable: Option<Verifiable>,
    /// The uses, in the order in which they are to be read.
    pub rows: Vec<Row>,
    /// How many uses count at each tariff, in order. Refused and withdrawn ones do not count.
    pub totals: Vec<(Tariff, u32)>,
}

impl ConvenioReport {
    /// How many uses count, at all tariffs together.
    fn uses(&self) -> u64 {
        self.totals.iter().map(|(_, uses)| u64::from(*uses)).sum()
    }
}

impl fmt::Debug for ConvenioReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConvenioReport {{ {} to {}, {} rows, ••• }}", self.from, self.to, self.rows.len())
    }
}

/// What the server keeps about a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifiable {
    /// The code, as it is to be read.
    pub code: String,
    /// How many uses it had on record, which lacks those that still wait at a PC.
    pub uses: u64,
}

/// One reported use.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// When the benefit was used, in Colombian time.
    pub occurred_at: DateTime,
    /// Who used it; printed whole.
    pub document: Document,
    /// `PÉREZ GÓMEZ, JUAN CARLOS`.
    pub affiliate_name: String,
    /// At which price category.
    pub tariff: Tariff,
    /// The employer.
    pub company_name: Option<String>,
    /// Where.
    pub branch_name: String,
    /// Who reported it.
    pub operator_name: String,
    /// How it stands.
    pub state: UsageState,
    /// What the server noted or why it refused it, as a short sentence in Spanish.
    pub note: Option<String>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row {{ {:?}, {}, ••• }}", self.document, self.state)
    }
}

/// A finished document.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
}

impl fmt::Debug for Pdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pdf {{ {} bytes, {} pages }}", self.bytes.len(), self.pages)
    }
}

/// Sets the report on letter paper (*carta*), across. The same report gives the same bytes.
///
/// Takes some tens of milliseconds for thousands of rows: not for a thread that paints.
pub fn render(report: &ConvenioReport) -> Result<Pdf, ReportError> {
    let fonts = Fonts::load()?;
    let layout = Layout::new(report, &fonts);
    let properties = Properties {
        title: words::document_title(report),
        author: report.entity_name.clone(),
        made_at: report.generated_at,
    };
    let (bytes, pages) = pdf::write(&fonts, layout::PAPER, layout.pages(), &properties)?;
    Ok(Pdf { bytes, pages })
}
