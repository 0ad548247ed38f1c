//! What can be wrong with a file, in Spanish: whoever loads it reads this.

use std::fmt;

use hanna_domain::DocumentError;

use super::columns::Column;
use hanna_domain::nit::NitFault;

/// Something wrong in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1 on; the header is line 1.
    pub line: u64,
    /// The column; none when it is the line as a whole.
    pub column: Option<Column>,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The line is in another encoding than the file.
    OtherEncoding,
    /// The line is longer than any line of affiliates.
    LineTooLong,
    /// A quote was opened and not closed.
    OpenQuote,
    /// Another number of fields than the header.
    FieldCount {
        /// In this line.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// Nothing there.
    Empty,
    /// Nothing there, while other columns name a company.
    CompanyIncomplete,
    /// None of these words.
    UnknownWord(Vec<&'static str>),
    /// Not a number of its kind.
    Document(DocumentError),
    /// Not a NIT.
    Nit(NitFault),
    /// More than so many characters.
    TooLong(usize),
    /// Characters that are no text.
    ControlCharacter,
    /// The document stands in an earlier line.
    DuplicateDocument {
        /// That line.
        first_line: u64,
    },
    /// The company has another name or status in an earlier line.
    CompanyDisagrees {
        /// That line.
        first_line: u64,
    },
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "Línea {}, columna {column}: {}.", self.line, self.why),
            None => write!(f, "Línea {}: {}.", self.line, self.why),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEncoding => f.write_str(
                "está en otra codificación que el resto del archivo; guarde todo el archivo en UTF-8 o todo en Latin-1",
            ),
            Self::LineTooLong => f.write_str("es demasiado larga para ser un afiliado"),
            Self::OpenQuote => f.write_str("tiene comillas sin cerrar"),
            Self::FieldCount { found, expected } => {
                write!(f, "tiene {found} campos y el encabezado tiene {expected}")
            }
            Self::Empty => f.write_str("está vacía y es obligatoria"),
            Self::CompanyIncomplete => f.write_str(
                "está vacía; una empresa lleva nit_empresa, empresa y estado_empresa, o ninguno de los tres",
            ),
            Self::UnknownWord(words) => write!(f, "no es ninguno de los valores permitidos ({})", words.join(", ")),
            Self::Document(error) => f.write_str(document_sentence(*error)),
            Self::Nit(NitFault::Shape) => {
                f.write_str("no es un NIT: se esperan de 6 a 10 dígitos, con o sin guion y dígito de verificación")
            }
            Self::Nit(NitFault::CheckDigit) => {
                f.write_str("el dígito de verificación del NIT no corresponde")
            }
            Self::TooLong(max) => write!(f, "tiene más de {max} caracteres"),
            Self::ControlCharacter => f.write_str("tiene caracteres que no son texto"),
            Self::DuplicateDocument { first_line } => {
                write!(f, "el documento está repetido; ya aparece en la línea {first_line}")
            }
            Self::CompanyDisagrees { first_line } => {
                write!(f, "la empresa tiene otro nombre u otro estado en la línea {first_line}")
            }
        }
    }
}

const fn document_sentence(error: DocumentError) -> &'static str {
    match error {
        DocumentError::Empty => "está vacía y es obligatoria",
        DocumentError::BadCharacter | DocumentError::NotCanonical => {
            "el número tiene caracteres que no corresponden a su tipo de documento"
        }
        DocumentError::TooShort => "el número es demasiado corto para su tipo de documento",
        DocumentError::TooLong => "el número es demasiado largo para su tipo de documento",
        DocumentError::LooksLikeNit => {
            "parece un NIT con dígito de verificación, no un documento de identidad"
        }
    }
}

/// Why a file is not one of affiliates.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be opened or read.
    #[error("El archivo no se puede leer: {0}.")]
    Unreadable(#[source] std::io::Error),
    /// There is nothing in it.
    #[error("El archivo está vacío: se espera una línea de encabezado y una línea por afiliado.")]
    Empty,
    /// There is nobody in it, and it was to replace everybody.
    #[error("El archivo no tiene afiliados: con él no se puede reemplazar a los que hay.")]
    NoPeople,
    /// It is UTF-16, as some programs write "Unicode text".
    #[error("El archivo está en UTF-16. Guárdelo como CSV en UTF-8 o en Latin-1.")]
    Utf16,
    /// The header cannot be read.
    #[error("El encabezado (línea 1) no se puede leer: {0}.")]
    Header(Why),
    /// The header lacks columns.
    #[error("Faltan columnas en el encabezado: {}.", join(.0))]
    MissingColumns(Vec<Column>),
    /// The header names columns twice.
    #[error("El encabezado repite columnas: {}.", join(.0))]
    RepeatedColumns(Vec<Column>),
}

fn join(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}
