//! The columns of the file.

use std::fmt;

/// A column the file must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// CC, CE, TI, RC, PA, PPT.
    Kind,
    /// The number; dots and spaces do no harm.
    Number,
    /// *Primer apellido*.
    FirstSurname,
    /// *Segundo apellido*; may be empty.
    SecondSurname,
    /// *Primer nombre*.
    FirstName,
    /// *Segundo nombre*; may be empty.
    SecondName,
    /// ACTIVO, INACTIVO, SUSPENDIDO, RETIRADO.
    Status,
    /// A, B, C, D.
    Tariff,
    /// TRABAJADOR, BENEFICIARIO.
    Role,
    /// With or without its check digit. This and the next two may be empty, all three together.
    CompanyNit,
    /// The company's name.
    CompanyName,
    /// ACTIVA, SUSPENDIDA, RETIRADA.
    CompanyStatus,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 12] = [
        Self::Kind,
        Self::Number,
        Self::FirstSurname,
        Self::SecondSurname,
        Self::FirstName,
        Self::SecondName,
        Self::Status,
        Self::Tariff,
        Self::Role,
        Self::CompanyNit,
        Self::CompanyName,
        Self::CompanyStatus,
    ];

    /// What the header calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind => "tipo_documento",
            Self::Number => "documento",
            Self::FirstSurname => "primer_apellido",
            Self::SecondSurname => "segundo_apellido",
            Self::FirstName => "primer_nombre",
            Self::SecondName => "segundo_nombre",
            Self::Status => "estado",
            Self::Tariff => "tarifa",
            Self::Role => "tipo_afiliado",
            Self::CompanyNit => "nit_empresa",
            Self::CompanyName => "empresa",
            Self::CompanyStatus => "estado_empresa",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folded::fold;

    #[test]
    fn headers_are_the_same_with_and_without_accents_capitals_and_signs() {
        for text in ["Número Documento", "NUMERO_DOCUMENTO", " número-documento ", "Nu\u{301}mero documento"]
        {
            assert_eq!(fold(text), "numerodocumento", "{text}");
        }
        let mut folded: Vec<String> = Column::ALL.iter().map(|column| fold(column.name())).collect();
        folded.sort();
        folded.dedup();
        assert_eq!(folded.len(), Column::ALL.len());
    }
}
