//! What the caja's console asks for. Every call needs the role `CAJA_ADMIN` and a session whose second factor is done.
//!
//! Lists come in pages ([`Page`](crate::page::Page)): `after` is the `next` of the page before, `q` searches in what people
//! read (names, NIT, addresses), without case and accents.

pub mod audit;
pub mod business;
pub mod people;

#[cfg(test)]
mod tests {
    use ts_rs::{Config, TS};

    use super::audit::{AuditExport, AuditSearch, AuditVerify, PersonAudit, Verification};
    use super::people::{
        AdminDevice, AdminKey, AdminRegistration, AdminUser, AdminUserChange, InviteAccount,
        RejectRegistration,
    };
    use crate::me::Me;
    use crate::page::Page;
    use crate::problem::Problem;
    use crate::second_factor::{ConfirmSecondFactor, RecoveryCodes, SecondFactorSecret};
    use crate::session::{Granted, Refresh, SignIn};
    use crate::verification::Verified;

    /// Writes the types the console uses, with everything they are made of; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        let config = Config::from_env();
        Problem::export_all(&config)?;
        SignIn::export_all(&config)?;
        Refresh::export_all(&config)?;
        Granted::export_all(&config)?;
        Me::export_all(&config)?;
        SecondFactorSecret::export_all(&config)?;
        ConfirmSecondFactor::export_all(&config)?;
        RecoveryCodes::export_all(&config)?;
        Page::<AdminUser>::export_all(&config)?;
        AdminRegistration::export_all(&config)?;
        RejectRegistration::export_all(&config)?;
        AdminUser::export_all(&config)?;
        AdminUserChange::export_all(&config)?;
        InviteAccount::export_all(&config)?;
        AdminDevice::export_all(&config)?;
        AdminKey::export_all(&config)?;
        AuditSearch::export_all(&config)?;
        PersonAudit::export_all(&config)?;
        AuditExport::export_all(&config)?;
        AuditVerify::export_all(&config)?;
        Verification::export_all(&config)?;
        Verified::export_all(&config)
    }
}
