//! Reports: from what the desk knows to a document a person holds in the hand.
//!
//! [`convenio`] is *Reporte de Convenio* as a PDF; [`printing`] gives a PDF to the system's spooler.
//!
//! ```text
//! ConvenioReport → layout (pages of text and rules, in millimetres; pure) → pdf (printpdf) → bytes
//! ```
//!
//! The layout knows nothing of PDF, and the PDF writer nothing of reports. There is no clock here and no
//! randomness: the same report gives the same bytes.

pub mod convenio;
mod fonts;
mod page;
mod pdf;
pub mod printing;
mod wrap;

/// Why a report could not be made. None of these says anything about the people in it.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A font that is part of the program cannot be read.
    #[error("the embedded font {0} cannot be read")]
    Font(&'static str),
    /// The PDF library noticed something that would show as missing or wrong text.
    #[error("the PDF library warned: {}", .0.join("; "))]
    Warned(Vec<String>),
    /// The PDF could not be put together.
    #[error("the PDF could not be put together")]
    Pdf(#[from] lopdf::Error),
    /// The PDF could not be written to memory.
    #[error("the PDF could not be written")]
    Write(#[from] std::io::Error),
}
