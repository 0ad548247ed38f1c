//! An example of what each call takes and answers. Everybody in them is invented.

use serde_json::{Value, json};

const DEVICE: &str = "01936d3e-0000-7000-8000-000000000001";
const BRANCH: &str = "01936d3e-0000-7000-8000-000000000002";
const LOOKUP: &str = "01936d3e-0000-7000-8000-000000000003";
const REPORT: &str = "01936d3e-0000-7000-8000-000000000004";
const VOID: &str = "01936d3e-0000-7000-8000-000000000005";
const OPERATOR: &str = "01936d3e-0000-7000-8000-000000000006";
const ENTITY: &str = "01936d3e-0000-7000-8000-000000000007";
const REGISTRATION: &str = "01936d3e-0000-7000-8000-000000000008";
const EPOCH: &str = "0d6ab2b6-7b0c-4b60-8f8e-3f7c3f1c2a11";
const KID: &str = "Zm9sbG93bWUtMDAx";
const STATEMENT: &str = "eyJ0eXAiOiJoYW5uYS1zdGF0ZW1lbnQrand0IiwiYWxnIjoiRWREU0EifQ.e30.c2lnbmF0dXJl";
const NOON: &str = "2026-11-22T17:00:00Z";

/// What a call takes; none when it takes no body.
pub fn request(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "register" => json!({
            "id": REGISTRATION, "nit": "900123456-8", "entity_name": "GYM CARIBE", "display_name": "Ana Rodríguez",
            "email": "ana@gymcaribe.co", "phone": "3001234567", "password": "cuatro xilofonos", "privacy_notice": "2026-11",
        }),
        "resend_code" => json!({ "id": REGISTRATION }),
        "confirm_account" => json!({ "id": REGISTRATION, "code": "048213" }),
        "forgot_password" => json!({ "email": "ana@gymcaribe.co" }),
        "reset_password" => {
            json!({ "email": "ana@gymcaribe.co", "code": "048213", "password": "cuatro xilofonos" })
        }
        "change_password" => json!({ "current": "una clave larga", "password": "cuatro xilofonos" }),
        "sign_in" => json!({
            "username": "ana@gymcaribe.co", "password": "una clave larga",
            "device": { "id": DEVICE, "name": "RECEPCION-1" },
        }),
        "refresh_session" => json!({
            "refresh_token": "xFf1bM0n8yTq3rLw5vKc7sJd9aGh2eZu4iPo6mNt8bQ", "device_id": DEVICE,
        }),
        "look_up" => json!({
            "id": LOOKUP, "branch_id": BRANCH, "document": document(), "purpose": "validar beneficio del convenio",
        }),
        "refresh_regulars" => {
            json!({ "branch_id": BRANCH, "regulars": [{ "id": LOOKUP, "document": document() }] })
        }
        "confirm_second_factor" => json!({ "otp": "048213" }),
        "reject_registration" => json!({ "reason": "El NIT no corresponde a una entidad en convenio." }),
        "invite_account" => json!({
            "id": OPERATOR, "entity_id": ENTITY, "display_name": "Ana Rodríguez", "email": "ana@gymcaribe.co",
            "roles": ["OPERATOR"], "branches": [BRANCH],
        }),
        "change_user" => json!({
            "display_name": "Ana Rodríguez Peña", "state": "ACTIVE", "roles": ["OPERATOR", "ENTITY_ADMIN"],
            "branches": [BRANCH],
        }),
        "deliver" => json!({ "items": [
            item(REPORT, 1, &json!({ "kind": "usage_report", "branch_id": BRANCH, "statement": STATEMENT })),
            item(VOID, 2, &json!({ "kind": "void", "report_id": REPORT, "reason": "REPORTED_TWICE", "text": null })),
        ] }),
        _ => return None,
    })
}

/// What a call answers when all goes well; none when it answers no body.
pub fn answer(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "register" | "resend_code" | "forgot_password" => json!({ "expires_in_s": 1800, "again_in_s": 60 }),
        "sign_in" | "refresh_session" => json!({
            "access_token": "h0Wm4kZs8vRt2yBn6cXq1pLe5uJg9aDf3iKo7rMw0sE",
            "access_expires_at": "2026-11-22T17:15:00Z",
            "refresh_token": "xFf1bM0n8yTq3rLw5vKc7sJd9aGh2eZu4iPo6mNt8bQ",
            "refresh_expires_at": "2026-12-22T17:00:00Z",
        }),
        "me" => me(),
        "keys" => json!({
            "keys": [{
                "kty": "OKP", "crv": "Ed25519", "kid": KID, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "not_before": NOON, "not_after": "2027-11-22T17:00:00Z",
            }],
            "export": {
                "caja": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo",
                "device": "mQ2vX8fK1sZtB6nRc4LwYp0aJg9dUe3hTo7iMx5qVbE",
            },
        }),
        "look_up" => json!({ "statement": STATEMENT }),
        "refresh_regulars" => json!({ "statements": [STATEMENT], "budget_left": 1999 }),
        "deliver" => json!({
            "outcomes": [
                { "id": REPORT, "outcome": "accepted", "code": null },
                { "id": VOID, "outcome": "accepted", "code": null },
            ],
            "epoch": EPOCH, "last_sequence": 0,
        }),
        "begin_second_factor" => json!({
            "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            "otpauth_uri": "otpauth://totp/Hanna%20Convenios:convenios%40lacaja.co?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hanna%20Convenios",
        }),
        "confirm_second_factor" => json!({ "recovery_codes": [
            "K3QWZ-7MPLA", "B5XTR-Q2NCE", "ZP4DM-6WVHK", "Y7ALS-3FJUO", "M2GRE-X5TQB",
            "C6NVI-KD4WZ", "H3OSP-L7YFA", "T5UBJ-2RMXE", "Q4WKC-V6GZD", "N7EIH-S3POL",
        ] }),
        "list_registrations" => json!({
            "items": [{
                "id": REGISTRATION, "nit": "900123456-8", "entity_name": "GYM CARIBE", "entity_known": true,
                "display_name": "Ana Rodríguez", "email": "ana@gymcaribe.co", "phone": "3001234567", "made_at": NOON,
                "state": "PENDING", "reason": null,
            }],
            "next": null,
        }),
        "list_users" => json!({ "items": [user()], "next": null }),
        "invite_account" | "change_user" => user(),
        "list_devices" => json!({
            "items": [{
                "id": DEVICE, "name": "RECEPCION-1",
                "entity": { "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" },
                "last_operator": "Ana Rodríguez", "first_seen_at": NOON, "last_contact_at": NOON, "last_sequence": 12,
                "waiting": 0, "revoked_at": null,
            }],
            "next": null,
        }),
        "list_signing_keys" | "rotate_signing_keys" => json!([
            { "kid": KID, "not_before": NOON, "not_after": "2027-11-22T17:00:00Z", "signs": true },
        ]),
        "usage_reports" => json!({
            "rows": [{
                "id": REPORT, "occurred_at": NOON, "document": document(),
                "affiliate_name": "PÉREZ GÓMEZ, JUAN CARLOS", "tariff": "A",
                "company_name": "TRANSPORTES DEL NORTE S.A.S.", "branch_id": BRANCH, "branch_name": "Sede Norte",
                "operator_name": "Ana Rodríguez", "state": "accepted", "code": null, "device_time": NOON,
                "received_at": NOON, "sequence": 1, "void": null,
            }],
            "next_cursor": null,
        }),
        "health" => json!({
            "status": "ok", "version": "0.1.0", "server_time": NOON, "signing_kid": KID,
            "signing_key_expires_at": "2027-11-22T17:00:00Z", "epoch": EPOCH,
        }),
        "ready" => json!({ "status": "ready", "schema": 6 }),
        _ => return None,
    })
}

fn document() -> Value {
    json!({ "kind": "CC", "number": "1045678901" })
}

fn item(id: &str, sequence: i64, body: &Value) -> Value {
    json!({
        "id": id, "sequence": sequence, "author_id": OPERATOR, "device_time": NOON, "occurred_at": NOON, "body": body,
    })
}

fn me() -> Value {
    json!({
        "operator": { "id": OPERATOR, "username": "ana@gymcaribe.co", "display_name": "Ana Rodríguez" },
        "entity": { "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" },
        "roles": ["OPERATOR"],
        "branches": [{ "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla" }],
        "applications": [{
            "code": "CONVENIOS", "name": "Convenios",
            "description": "Consulte a los trabajadores afiliados a la caja y reporte el uso de los beneficios del convenio.",
            "state": "APPROVED", "reason": null,
        }],
        "policy": hanna_domain::DeskPolicy::default(), "second_factor": "NOT_NEEDED",
    })
}

fn user() -> Value {
    json!({
        "id": OPERATOR, "username": "ana@gymcaribe.co", "display_name": "Ana Rodríguez",
        "entity": { "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" },
        "state": "ACTIVE", "roles": ["OPERATOR"],
        "branches": [{ "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla" }],
        "second_factor": "NOT_NEEDED", "last_sign_in_at": NOON,
    })
}

#[cfg(test)]
mod tests {
    use hanna_wire::admin::people::{
        AdminDevice, AdminKey, AdminRegistration, AdminUser, AdminUserChange, InviteAccount,
        RejectRegistration,
    };
    use hanna_wire::health::{Health, Ready};
    use hanna_wire::keys::Keys;
    use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
    use hanna_wire::me::Me;
    use hanna_wire::outbox::{Batch, BatchAnswer};
    use hanna_wire::page::Page;
    use hanna_wire::second_factor::{ConfirmSecondFactor, RecoveryCodes, SecondFactorSecret};
    use hanna_wire::session::{Granted, Refresh, SignIn};
    use hanna_wire::usage::UsagePage;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    fn assert_is<T: Serialize + DeserializeOwned>(example: Option<Value>) {
        let example = example.expect("an example");
        let read: T = serde_json::from_value(example.clone()).expect("of its type");
        assert_eq!(serde_json::to_value(read).expect("JSON"), example, "nothing more and nothing less");
    }

    #[test]
    fn examples_are_what_travels() {
        assert_is::<SignIn>(request("sign_in"));
        assert_is::<Refresh>(request("refresh_session"));
        assert_is::<LookupRequest>(request("look_up"));
        assert_is::<RegularsRequest>(request("refresh_regulars"));
        assert_is::<Batch>(request("deliver"));
        assert_is::<Granted>(answer("sign_in"));
        assert_is::<Granted>(answer("refresh_session"));
        assert_is::<Me>(answer("me"));
        assert_is::<Keys>(answer("keys"));
        assert_is::<LookupAnswer>(answer("look_up"));
        assert_is::<RegularsAnswer>(answer("refresh_regulars"));
        assert_is::<BatchAnswer>(answer("deliver"));
        assert_is::<UsagePage>(answer("usage_reports"));
        assert_is::<ConfirmSecondFactor>(request("confirm_second_factor"));
        assert_is::<RejectRegistration>(request("reject_registration"));
        assert_is::<InviteAccount>(request("invite_account"));
        assert_is::<AdminUserChange>(request("change_user"));
        assert_is::<SecondFactorSecret>(answer("begin_second_factor"));
        assert_is::<RecoveryCodes>(answer("confirm_second_factor"));
        assert_is::<Page<AdminRegistration>>(answer("list_registrations"));
        assert_is::<Page<AdminUser>>(answer("list_users"));
        assert_is::<AdminUser>(answer("change_user"));
        assert_is::<Page<AdminDevice>>(answer("list_devices"));
        assert_is::<Vec<AdminKey>>(answer("list_signing_keys"));
        assert_is::<Health>(answer("health"));
        assert_is::<Ready>(answer("ready"));
    }
}
