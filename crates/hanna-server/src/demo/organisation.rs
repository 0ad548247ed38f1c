//! The demo's businesses: four entities, nine branches, an agreement of every sort, accounts of every sort.

use hanna_domain::{AffiliateRole, Redacted, Tariff, colombia};
use hanna_wire::admin::business::AdminAgreement;
use hanna_wire::me::{ApplicationState, Branch, Entity, Operator, Role};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::Account;
use crate::passwords::{self, PasswordFault};
use crate::store::{AccountState, NewAccount, NewEntity};
use hanna_domain::nit;
use hanna_wire::agreement::{AgreementTerms, OverLimit};

/// Everybody's password in a demo.
const PASSWORD: &str = "convenios-demo-2026";

/// Businesses and accounts, and who can sign in.
pub struct Organisation {
    pub entities: Vec<NewEntity>,
    pub accounts: Vec<NewAccount>,
    pub listed: Vec<Account>,
}

/// Makes the businesses. Agreements are dated from `now`, so that those in force are so for two years.
pub fn organisation(seed: u64, now: Timestamp) -> Result<Organisation, PasswordFault> {
    let mut maker = Maker { random: ChaCha8Rng::seed_from_u64(seed), year: colombia::day_of(now).year() };
    let entities = maker.entities();
    let password_hash = passwords::hash(PASSWORD, &maker.random.random())?;
    let (accounts, listed) =
        staff().into_iter().map(|person| maker.account(&entities, &person, &password_hash)).unzip();
    Ok(Organisation { entities, accounts, listed })
}

struct Maker {
    random: ChaCha8Rng,
    year: i16,
}

impl Maker {
    fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn entities(&mut self) -> Vec<NewEntity> {
        let in_force = (date(self.year - 1, 1, 1), date(self.year + 2, 12, 31));
        let expired = (date(self.year - 3, 1, 1), date(self.year - 1, 12, 31));
        let coming = (date(self.year + 2, 1, 1), date(self.year + 3, 12, 31));

        let mut gym = self.entity(
            "900123456",
            "GYM CARIBE",
            &[
                ("GYM-01", "Sede Norte", "Barranquilla"),
                ("GYM-02", "Sede Centro", "Barranquilla"),
                ("GYM-03", "Sede Soledad", "Soledad"),
            ],
        );
        self.agreement(&mut gym, "Gimnasio con tarifa preferencial", in_force, OverLimit::Note, &[0, 1, 2]);

        let mut clinic = self.entity(
            "901234567",
            "CLÍNICA DENTAL SONRISAS DEL NORTE",
            &[
                ("CLI-01", "Sede Prado", "Barranquilla"),
                ("CLI-02", "Sede Puerto Colombia", "Puerto Colombia"),
            ],
        );
        self.agreement(&mut clinic, "Odontología para trabajadores", in_force, OverLimit::Refuse, &[0]);
        self.agreement(&mut clinic, "Odontología, nueva sede", coming, OverLimit::Refuse, &[1]);
        for agreement in &mut clinic.agreements {
            agreement.terms.tariffs = vec![Tariff::A, Tariff::B];
            agreement.terms.roles = vec![AffiliateRole::Worker];
        }

        let mut club = self.entity(
            "890345678",
            "CENTRO RECREACIONAL LA PEÑA",
            &[("REC-01", "Sede Piscinas", "Sabanalarga"), ("REC-02", "Sede Canchas", "Sabanalarga")],
        );
        self.agreement(&mut club, "Recreación familiar", expired, OverLimit::Note, &[0, 1]);

        let mut academy = self.entity(
            "900456789",
            "ACADEMIA DE BAILE LA RUMBA",
            &[("ACA-01", "Sede Boston", "Barranquilla"), ("ACA-02", "Sede Malambo", "Malambo")],
        );
        self.agreement(&mut academy, "Clases de baile", in_force, OverLimit::Note, &[0, 1]);
        academy.application = ApplicationState::InReview;

        vec![gym, clinic, club, academy]
    }

    fn entity(&mut self, nit: &str, name: &str, branches: &[(&str, &str, &str)]) -> NewEntity {
        let nit = format!("{nit}-{}", nit::check_digit(nit).unwrap_or_default());
        let branches = branches
            .iter()
            .map(|(code, name, city)| Branch {
                id: self.id(),
                code: (*code).to_owned(),
                name: (*name).to_owned(),
                city: (*city).to_owned(),
            })
            .collect();
        NewEntity {
            entity: Entity { id: self.id(), nit, name: name.to_owned() },
            branches,
            agreements: Vec::new(),
            application: ApplicationState::Approved,
        }
    }

    fn agreement(
        &mut self,
        entity: &mut NewEntity,
        name: &str,
        (first_day, last_day): (Date, Date),
        over_limit: OverLimit,
        branches: &[usize],
    ) {
        let branches =
            branches.iter().filter_map(|place| entity.branches.get(*place)).map(|branch| branch.id);
        let agreement = AdminAgreement {
            id: self.id(),
            terms: AgreementTerms {
                last_day,
                over_limit,
                ..AgreementTerms::usual(name.to_owned(), first_day)
            },
            branches: branches.collect(),
        };
        entity.agreements.push(agreement);
    }

    fn account(
        &mut self,
        entities: &[NewEntity],
        person: &Person,
        password_hash: &str,
    ) -> (NewAccount, Account) {
        let Person { username, display_name, entity, role, branches, state, remark } = *person;
        let of_entity = &entities[entity];
        let worked_at: Vec<&Branch> =
            of_entity.branches.iter().filter(|branch| branches.contains(&branch.code.as_str())).collect();
        let account = NewAccount {
            operator: Operator {
                id: self.id(),
                username: username.to_owned(),
                display_name: display_name.to_owned(),
            },
            entity_id: Some(of_entity.entity.id),
            password_hash: Redacted::new(password_hash.to_owned()),
            state,
            roles: vec![role],
            branches: worked_at.iter().map(|branch| branch.id).collect(),
        };
        let listed = Account {
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            roles: vec![role],
            branches: worked_at.iter().map(|branch| branch.code.clone()).collect(),
            note: (state != AccountState::Active).then(|| remark.to_owned()),
            remark: remark.to_owned(),
        };
        (account, listed)
    }
}

/// Somebody with an account.
struct Person {
    username: &'static str,
    display_name: &'static str,
    /// Place in the list of entities.
    entity: usize,
    role: Role,
    branches: &'static [&'static str],
    state: AccountState,
    /// What this account is there to show.
    remark: &'static str,
}

const GYM: usize = 0;
const CLINIC: usize = 1;
const CLUB: usize = 2;
const ACADEMY: usize = 3;

/// Those who can sign in first; the very first works at several branches under an agreement in force.
fn staff() -> Vec<Person> {
    let operator = |username, display_name, entity, branches, remark| Person {
        username,
        display_name,
        entity,
        role: Role::Operator,
        branches,
        state: AccountState::Active,
        remark,
    };
    vec![
        operator(
            "ana.rodriguez@gymcaribe.co",
            "Ana Rodríguez",
            GYM,
            &["GYM-01", "GYM-02", "GYM-03"],
            "varias sedes; un segundo uso del día se acepta con nota",
        ),
        operator("luis.penaranda@gymcaribe.co", "Luis Peñaranda", GYM, &["GYM-01"], "una sola sede"),
        operator(
            "sofia.delahoz@sonrisas.co",
            "Sofía De La Hoz",
            CLINIC,
            &["CLI-01", "CLI-02"],
            "en CLI-01 un segundo uso del día se rechaza; en CLI-02 el convenio no ha comenzado",
        ),
        operator(
            "ivan.acuna@sonrisas.co",
            "Iván Acuña",
            CLINIC,
            &["CLI-01"],
            "un segundo uso del día se rechaza",
        ),
        operator("rosa.ibanez@lapena.co", "Rosa Ibáñez", CLUB, &["REC-01", "REC-02"], "convenio vencido"),
        operator(
            "karen.nunez@academiarumba.co",
            "Karen Núñez",
            ACADEMY,
            &["ACA-01"],
            "la aplicación CONVENIOS está en revisión",
        ),
        operator("sin.sede@gymcaribe.co", "Óscar Zúñiga", GYM, &[], "sin sedes asignadas"),
        Person {
            role: Role::EntityAdmin,
            ..operator("gerencia@gymcaribe.co", "Martha Castañeda", GYM, &[], "administra la entidad")
        },
        Person {
            state: AccountState::Suspended,
            ..operator(
                "suspendido@gymcaribe.co",
                "Raúl Ordóñez",
                GYM,
                &["GYM-01"],
                "cuenta suspendida: no puede entrar",
            )
        },
    ]
}
