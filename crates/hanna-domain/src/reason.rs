//! Why a person may not use the benefit: a closed catalogue.
//!
//! The Spanish sentences (for the operator, and to say to the person) stand in the UI's catalogue under
//! the reason's code; a test there walks [`Reason::ALL`].

use crate::words::words;

words! {
    /// One reason of the catalogue. The codes are stable: they are signed, stored and shown.
    #[derive(utoipa::ToSchema)]
    Reason {
        /// The caja has nobody with this document.
        NotAffiliated = "NOT_AFFILIATED",
        /// The affiliate is INACTIVO.
        AffiliateInactive = "AFFILIATE_INACTIVE",
        /// The affiliate is SUSPENDIDO.
        AffiliateSuspended = "AFFILIATE_SUSPENDED",
        /// The affiliate is RETIRADO.
        AffiliateRetired = "AFFILIATE_RETIRED",
        /// The employer is in arrears.
        CompanySuspended = "COMPANY_SUSPENDED",
        /// The employer left the caja.
        CompanyRetired = "COMPANY_RETIRED",
        /// The entity's agreement is over.
        AgreementExpired = "AGREEMENT_EXPIRED",
        /// The entity's agreement has not begun.
        AgreementNotStarted = "AGREEMENT_NOT_STARTED",
        /// The agreement does not cover this person's tariff or role.
        BenefitNotCovered = "BENEFIT_NOT_COVERED",
        /// The benefit was already used as often as one day allows.
        DailyLimitReached = "DAILY_LIMIT_REACHED",
        /// The number exists under another kind of document.
        DocumentKindMismatch = "DOCUMENT_KIND_MISMATCH",
        /// The caja has more than one person with this document.
        MultipleMatches = "MULTIPLE_MATCHES",
    }
}

words! {
    /// Who can put a reason right.
    Fixer {
        /// The person in front of the operator.
        Person = "PERSONA",
        /// The person's employer.
        Company = "EMPRESA",
        /// The business at whose desk this is.
        Entity = "ENTIDAD",
        /// The caja.
        Caja = "CAJA",
        /// Nobody in particular: asking again may do.
        System = "SISTEMA",
    }
}

impl Reason {
    /// Who can put it right.
    pub const fn fixer(self) -> Fixer {
        match self {
            Self::NotAffiliated
            | Self::AffiliateInactive
            | Self::AffiliateRetired
            | Self::DailyLimitReached => Fixer::Person,
            Self::CompanySuspended | Self::CompanyRetired => Fixer::Company,
            Self::DocumentKindMismatch | Self::AgreementExpired | Self::AgreementNotStarted => Fixer::Entity,
            Self::AffiliateSuspended | Self::BenefitNotCovered | Self::MultipleMatches => Fixer::Caja,
        }
    }

    /// Whether asking again later, with nothing else done by the operator, can change the answer.
    pub const fn asking_again_helps(self) -> bool {
        matches!(self, Self::CompanySuspended | Self::AgreementNotStarted | Self::DailyLimitReached)
    }
}
