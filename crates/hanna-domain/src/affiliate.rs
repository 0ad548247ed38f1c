//! The person looked up, and their employer.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// Whether the person is the worker or belongs to the worker's family.
    #[derive(utoipa::ToSchema)]
    AffiliateRole {
        /// The worker (*titular*).
        Worker = "TRABAJADOR",
        /// A member of the worker's family.
        Beneficiary = "BENEFICIARIO",
    }
}

words! {
    /// *Estado del afiliado*.
    #[derive(utoipa::ToSchema)]
    AffiliateStatus {
        /// The only status that gives access to preferential tariffs by itself.
        Active = "ACTIVO",
        /// Not contributing at present.
        Inactive = "INACTIVO",
        /// Rights suspended by the caja.
        Suspended = "SUSPENDIDO",
        /// No longer affiliated.
        Retired = "RETIRADO",
    }
}

words! {
    /// *Tarifa*: the price category. A, B and C are preferential, by income; D is the full price.
    #[derive(utoipa::ToSchema)]
    Tariff {
        /// Up to two minimum wages.
        A = "A",
        /// Two to four minimum wages.
        B = "B",
        /// Above four minimum wages.
        C = "C",
        /// Full price: no affiliation.
        D = "D",
    }
}

words! {
    /// *Estado de la empresa*.
    #[derive(utoipa::ToSchema)]
    CompanyStatus {
        /// Up to date.
        Active = "ACTIVA",
        /// In arrears: its workers' benefits are suspended.
        Suspended = "SUSPENDIDA",
        /// No longer affiliated to the caja.
        Retired = "RETIRADA",
    }
}

/// The employer (*empresa*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Company {
    /// Legal name.
    #[schema(example = "TRANSPORTES DEL NORTE S.A.S.", max_length = 160)]
    pub name: String,
    /// Whether the company is up to date with the caja.
    pub status: CompanyStatus,
}

/// The registered data of a person, as the caja has them. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Affiliate {
    /// Worker or beneficiary.
    pub role: AffiliateRole,
    /// *Primer apellido*.
    #[schema(example = "PÉREZ", max_length = 80)]
    pub first_surname: String,
    /// *Segundo apellido*; some people have one surname only.
    #[schema(example = "GÓMEZ", max_length = 80)]
    pub second_surname: Option<String>,
    /// *Primer nombre*.
    #[schema(example = "JUAN", max_length = 80)]
    pub first_name: String,
    /// *Segundo nombre*.
    #[schema(example = "CARLOS", max_length = 80)]
    pub second_name: Option<String>,
    /// *Estado del afiliado*.
    pub status: AffiliateStatus,
    /// *Tarifa*.
    pub tariff: Tariff,
    /// The employer; none for people who contribute on their own.
    pub company: Option<Company>,
}

impl Affiliate {
    /// `PÉREZ GÓMEZ, JUAN CARLOS`.
    pub fn full_name(&self) -> String {
        let join = |first: &str, second: Option<&str>| match second {
            Some(second) => format!("{first} {second}"),
            None => first.to_owned(),
        };
        format!(
            "{}, {}",
            join(&self.first_surname, self.second_surname.as_deref()),
            join(&self.first_name, self.second_name.as_deref())
        )
    }
}

impl std::fmt::Debug for Affiliate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Affiliate {{ {} {} {}, •••}}", self.role, self.status, self.tariff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_in_json_and_sql() {
        for status in AffiliateStatus::ALL {
            assert_eq!(AffiliateStatus::from_code(status.code()), Some(*status));
            assert_eq!(serde_json::to_string(status).expect("json"), format!("\"{}\"", status.code()));
        }
        assert_eq!(AffiliateStatus::from_code("activo"), None);
    }

    #[test]
    fn full_name_leaves_out_what_a_person_does_not_have() {
        let mut person = Affiliate {
            role: AffiliateRole::Worker,
            first_surname: "ÑÁÑEZ".into(),
            second_surname: None,
            first_name: "MARÍA".into(),
            second_name: Some("JOSÉ".into()),
            status: AffiliateStatus::Active,
            tariff: Tariff::B,
            company: None,
        };
        assert_eq!(person.full_name(), "ÑÁÑEZ, MARÍA JOSÉ");
        person.second_name = None;
        person.second_surname = Some("DE LA HOZ".into());
        assert_eq!(person.full_name(), "ÑÁÑEZ DE LA HOZ, MARÍA");
        assert!(!format!("{person:?}").contains("MARÍA"));
    }
}
