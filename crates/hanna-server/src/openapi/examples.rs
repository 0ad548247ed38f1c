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
const REQUEST: &str = "01936d3e-0000-7000-8000-000000000009";
const ATTACHMENT: &str = "01936d3e-0000-7000-8000-00000000000a";
const EPOCH: &str = "0d6ab2b6-7b0c-4b60-8f8e-3f7c3f1c2a11";
const KID: &str = "Zm9sbG93bWUtMDAx";
const STATEMENT: &str = "eyJ0eXAiOiJoYW5uYS1zdGF0ZW1lbnQrand0IiwiYWxnIjoiRWREU0EifQ.e30.c2lnbmF0dXJl";
const AGREEMENT: &str = "01936d3e-0000-7000-8000-00000000000a";
const IMPORT: &str = "01936d3e-0000-7000-8000-00000000000b";
const ANSWER: &str = "01936d3e-0000-7000-8000-00000000000c";
/// That of a report whose id is [`REPORT`].
const REPORT_CODE: &str = "R01J-DPKW-000E-0080-0000-0000-0042";
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
        "submit_application" => json!({
            "id": REQUEST, "application": "CONVENIOS", "content": application_content(),
        }),
        "correct_application" => json!({ "revision": 1, "content": application_content() }),
        "approve_application" => json!({
            "revision": 1,
            "agreement": {
                "name": "Gimnasio con tarifa preferencial", "first_day": "2026-12-01", "last_day": "2027-11-30",
                "tariffs": ["A", "B", "C"], "roles": ["TRABAJADOR", "BENEFICIARIO"], "daily_limit": 1,
                "over_limit": "NOTE", "validity_h": 24, "void_window_min": 1440, "offline_days_max": 7,
                "retention_days": 30,
            },
            "branches": [{ "code": null, "name": "Sede Norte", "city": "Barranquilla" }],
        }),
        "reject_application" => json!({ "revision": 1, "reason": "La cámara de comercio está vencida." }),
        "invite_user" => json!({
            "id": OPERATOR, "display_name": "Luis Peñaranda", "email": "luis@gymcaribe.co", "roles": ["OPERATOR"],
            "branches": [BRANCH],
        }),
        "change_user" => json!({ "branches": [BRANCH], "state": "ACTIVE" }),
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
        "change_account" => json!({
            "display_name": "Ana Rodríguez Peña", "state": "ACTIVE", "roles": ["OPERATOR", "ENTITY_ADMIN"],
            "branches": [BRANCH],
        }),
        "make_report_code" => json!({
            "id": REPORT, "from": "2026-11-01T05:00:00Z", "to": NOON, "branch_id": BRANCH,
        }),
        "search_audit" => json!({
            "document": document(), "purpose": "responder al titular quién consultó sus datos", "limit": 100,
        }),
        "export_person" => {
            json!({ "document": document(), "purpose": "solicitud del titular, radicado 123" })
        }
        "verify_audit" => json!({ "anchor": anchor(811) }),
        "deliver" => json!({ "items": [
            item(REPORT, 1, &json!({ "kind": "usage_report", "branch_id": BRANCH, "statement": STATEMENT })),
            item(VOID, 2, &json!({ "kind": "void", "report_id": REPORT, "reason": "REPORTED_TWICE", "text": null })),
        ] }),
        _ => return request_about_businesses(operation_id),
    })
}

fn request_about_businesses(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
        "create_entity" => json!({ "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" }),
        "change_entity" => json!({ "name": "GYM CARIBE" }),
        "create_branch" => {
            json!({ "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla" })
        }
        "change_branch" => json!({ "name": "Sede Norte", "closed": true }),
        "create_agreement" => json!({ "id": AGREEMENT, "terms": terms(), "branches": [BRANCH] }),
        "change_agreement" => json!({ "terms": terms(), "branches": [BRANCH] }),
        "send_import" => json!(
            "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;tipo_afiliado;\
             nit_empresa;empresa;estado_empresa\nCC;1045678901;NÚÑEZ;;JOSÉ;;ACTIVO;A;TRABAJADOR;899999068-1;PEÑA S.A.S.;ACTIVA\n"
        ),
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
        "usage_reports" => json!({ "rows": [usage_row()], "next_cursor": null }),
        "make_report_code" => json!({ "code": REPORT_CODE, "report": verified_report() }),
        "verify" => {
            let mut verified = verified_report();
            verified["kind"] = json!("report");
            verified
        }
        "usage_totals" => json!({ "items": [{
            "branch_id": BRANCH, "branch_name": "Sede Norte", "tariff": "A", "uses": 120, "noted": 3, "voided": 2,
        }] }),
        "attach" => attachment(),
        "submit_application" | "correct_application" => application_request("SUBMITTED"),
        "review_application" => application_request("IN_REVIEW"),
        "approve_application" => application_request("APPROVED"),
        "reject_application" => application_request("REJECTED"),
        "application_requests" | "list_application_requests" => {
            json!({ "items": [application_request("IN_REVIEW")], "next": null })
        }
        "invite_user" => entity_user("INVITED"),
        "change_user" => entity_user("ACTIVE"),
        "entity_users" => json!({ "items": [entity_user("ACTIVE")], "next": null }),
        "entity_branches" => json!({
            "items": [{ "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla" }],
        }),
        "health" => json!({
            "status": "ok", "version": "0.1.0", "server_time": NOON, "signing_kid": KID,
            "signing_key_expires_at": "2027-11-22T17:00:00Z", "epoch": EPOCH,
        }),
        "ready" => json!({ "status": "ready", "schema": 8 }),
        _ => return of_the_console(operation_id),
    })
}

/// The same, of what only the caja calls.
fn of_the_console(operation_id: &str) -> Option<Value> {
    Some(match operation_id {
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
        "invite_account" | "change_account" => user(),
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
        "search_audit" => json!({ "items": [consulted()], "next": null, "accesses": [access()] }),
        "export_person" => {
            let mut used = usage_row();
            used["entity_name"] = json!("GYM CARIBE");
            json!({
                "document": document(),
                "registered": {
                    "role": "TRABAJADOR", "first_surname": "PÉREZ", "second_surname": "GÓMEZ", "first_name": "JUAN",
                    "second_name": "CARLOS", "status": "ACTIVO", "tariff": "A",
                    "company": { "name": "TRANSPORTES DEL NORTE S.A.S.", "status": "ACTIVA" },
                    "company_nit": "899999068", "imported_at": NOON,
                },
                "lookups": [consulted()], "accesses": [access()], "uses": [used],
            })
        }
        "verify_audit" => json!({
            "blocks": 812, "sealed": 1_204_118, "unsealed": 3, "anchor": anchor(812), "findings": [], "findings_total": 0,
        }),
        "list_entities" => json!({ "items": [admin_entity()], "next": null }),
        "create_entity" | "read_entity" | "change_entity" => json!({
            "entity": admin_entity(), "branches": [admin_branch()],
            "agreements": [{ "id": AGREEMENT, "terms": terms(), "branches": [BRANCH] }],
        }),
        "create_branch" | "change_branch" => admin_branch(),
        "create_agreement" | "change_agreement" => {
            json!({ "id": AGREEMENT, "terms": terms(), "branches": [BRANCH] })
        }
        "send_import" | "read_import" | "cancel_import" => import_job(),
        "list_imports" => json!({ "items": [import_job()], "next": null }),
        "read_rejected_lines" => json!("linea;columna;motivo\n3;estado;\"está vacía y es obligatoria\"\n"),
        "usage_by_entity" => {
            let counts = json!({ "lookups": 412, "uses": 380, "voided": 3, "people": 241 });
            json!({ "from": "2026-11-01", "to": "2026-11-30", "items": [{
                "entity": { "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" }, "total": counts,
                "branches": [{
                    "branch": { "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla" },
                    "counts": counts,
                }],
            }] })
        }
        _ => return None,
    })
}

fn verified_report() -> Value {
    json!({
        "entity_name": "GYM CARIBE", "branches": ["Sede Norte"], "from": "2026-11-01T05:00:00Z", "to": NOON,
        "made_at": NOON, "totals": [{ "tariff": "A", "uses": 120 }, { "tariff": "B", "uses": 31 }], "voided": 2,
    })
}

fn usage_row() -> Value {
    json!({
        "id": REPORT, "occurred_at": NOON, "document": document(), "affiliate_name": "PÉREZ GÓMEZ, JUAN CARLOS",
        "tariff": "A", "company_name": "TRANSPORTES DEL NORTE S.A.S.", "branch_id": BRANCH, "branch_name": "Sede Norte",
        "operator_name": "Ana Rodríguez", "state": "accepted", "code": null, "device_time": NOON, "received_at": NOON,
        "sequence": 1, "void": null,
    })
}

fn consulted() -> Value {
    json!({
        "lookup_id": LOOKUP, "answer_id": ANSWER, "answered_at": NOON, "entity_name": "GYM CARIBE",
        "branch_name": "Sede Norte", "device_name": "RECEPCION-1", "operator_name": "Ana Rodríguez",
        "purpose": "validar beneficio del convenio", "regular": false, "from_copy": false, "verdict": "ACTIVE",
        "reasons": [],
    })
}

fn access() -> Value {
    json!({
        "at": NOON, "act": "PERSON_SEARCHED", "account_name": "Marta Cañas", "by": null,
        "purpose": "responder al titular quién consultó sus datos",
    })
}

fn anchor(block: u32) -> String {
    format!("{block}:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
}

fn terms() -> Value {
    json!({
        "name": "Gimnasio con tarifa preferencial", "first_day": "2026-01-01", "last_day": "2026-12-31",
        "tariffs": ["A", "B", "C"], "roles": ["TRABAJADOR", "BENEFICIARIO"], "daily_limit": 1, "over_limit": "NOTE",
        "validity_h": 24, "void_window_min": 1440, "offline_days_max": 7, "retention_days": 30,
    })
}

fn admin_entity() -> Value {
    json!({
        "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE", "application": "APPROVED", "branches": 3,
        "agreements_in_force": 1, "users": 4,
    })
}

fn admin_branch() -> Value {
    json!({ "id": BRANCH, "code": "GYM-01", "name": "Sede Norte", "city": "Barranquilla", "closed_at": null })
}

fn import_job() -> Value {
    json!({
        "id": IMPORT, "state": "RUNNING", "mode": "upsert", "dry_run": false, "file_name": "afiliados.csv",
        "bytes": 94_371_840, "bytes_read": 31_457_280, "lines": 333_334, "rejected": 0, "reason": null, "counts": null,
        "began_at": NOON, "ended_at": null, "by": "Marta Cañas",
    })
}

fn application_content() -> Value {
    json!({
        "contact_name": "Ana Rodríguez", "contact_email": "ana@gymcaribe.co", "contact_phone": "3001234567",
        "benefit": "20 % de descuento en la mensualidad",
        "branches": [{ "name": "Sede Norte", "city": "Barranquilla", "address": "Carrera 53 # 76-100" }],
        "attachment_id": ATTACHMENT,
    })
}

fn attachment() -> Value {
    json!({
        "id": ATTACHMENT, "file_name": "cámara de comercio.pdf", "media_type": "application/pdf", "size_bytes": 482_113,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    })
}

fn application_request(state: &str) -> Value {
    let reason = (state == "REJECTED").then_some("La cámara de comercio está vencida.");
    let sent =
        json!({ "at": NOON, "state": "SUBMITTED", "revision": 1, "reason": null, "by": "Ana Rodríguez" });
    let then = json!({ "at": NOON, "state": state, "revision": 1, "reason": reason, "by": "Coordinación Convenios" });
    let history = if state == "SUBMITTED" { json!([sent]) } else { json!([sent, then]) };
    json!({
        "id": REQUEST, "application": "CONVENIOS",
        "entity": { "id": ENTITY, "nit": "900123456-8", "name": "GYM CARIBE" }, "state": state, "revision": 1,
        "content": application_content(), "attachment": attachment(), "history": history,
    })
}

fn entity_user(state: &str) -> Value {
    json!({
        "id": OPERATOR, "username": "luis@gymcaribe.co", "display_name": "Luis Peñaranda", "phone": null, "state": state,
        "roles": ["OPERATOR"], "branches": [BRANCH], "last_sign_in_at": null, "invited_at": NOON,
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
    use hanna_domain::{CodeOf, VerificationCode};
    use hanna_wire::admin::audit::{
        AuditExport, AuditSearch, AuditVerify, PersonAudit, PersonalData, Verification,
    };
    use hanna_wire::admin::people::{
        AdminDevice, AdminKey, AdminRegistration, AdminUser, AdminUserChange, InviteAccount,
        RejectRegistration,
    };
    use hanna_wire::application::{
        ApplicationRequest, ApplicationRequests, ApproveApplication, Attachment, CorrectApplication,
        RejectApplication, SubmitApplication,
    };
    use hanna_wire::entity_users::{ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser};
    use hanna_wire::health::{Health, Ready};
    use hanna_wire::keys::Keys;
    use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
    use hanna_wire::me::Me;
    use hanna_wire::outbox::{Batch, BatchAnswer};
    use hanna_wire::page::Page;
    use hanna_wire::second_factor::{ConfirmSecondFactor, RecoveryCodes, SecondFactorSecret};
    use hanna_wire::session::{Granted, Refresh, SignIn};
    use hanna_wire::usage::{UsagePage, UsageTotals};
    use hanna_wire::verification::{ReportCode, Verified};
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
        assert_is::<Attachment>(answer("attach"));
        assert_is::<SubmitApplication>(request("submit_application"));
        assert_is::<CorrectApplication>(request("correct_application"));
        assert_is::<ApproveApplication>(request("approve_application"));
        assert_is::<RejectApplication>(request("reject_application"));
        for call in ["submit_application", "review_application", "approve_application", "reject_application"]
        {
            assert_is::<ApplicationRequest>(answer(call));
        }
        assert_is::<ApplicationRequests>(answer("application_requests"));
        assert_is::<InviteUser>(request("invite_user"));
        assert_is::<ChangeUser>(request("change_user"));
        assert_is::<EntityUser>(answer("invite_user"));
        assert_is::<EntityUsers>(answer("entity_users"));
        assert_is::<EntityBranches>(answer("entity_branches"));
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
        assert_is::<UsageTotals>(answer("usage_totals"));
        assert_is::<ReportCode>(answer("make_report_code"));
        let code = VerificationCode { of: CodeOf::Report, id: REPORT.parse().expect("an id") };
        assert_eq!(code.to_string(), REPORT_CODE);
        assert_is::<Verified>(answer("verify"));
        assert_is::<ConfirmSecondFactor>(request("confirm_second_factor"));
        assert_is::<RejectRegistration>(request("reject_registration"));
        assert_is::<InviteAccount>(request("invite_account"));
        assert_is::<AdminUserChange>(request("change_account"));
        assert_is::<SecondFactorSecret>(answer("begin_second_factor"));
        assert_is::<RecoveryCodes>(answer("confirm_second_factor"));
        assert_is::<Page<AdminRegistration>>(answer("list_registrations"));
        assert_is::<Page<AdminUser>>(answer("list_users"));
        assert_is::<AdminUser>(answer("change_account"));
        assert_is::<Page<AdminDevice>>(answer("list_devices"));
        assert_is::<Vec<AdminKey>>(answer("list_signing_keys"));
        assert_is::<AuditSearch>(request("search_audit"));
        assert_is::<AuditExport>(request("export_person"));
        assert_is::<AuditVerify>(request("verify_audit"));
        assert_is::<PersonAudit>(answer("search_audit"));
        assert_is::<PersonalData>(answer("export_person"));
        assert_is::<Verification>(answer("verify_audit"));
        assert_is::<Health>(answer("health"));
        assert_is::<Ready>(answer("ready"));
    }
}
