//! `GET /v1/me`: who is signed in, and what they may do.

use hanna_domain::{DeskPolicy, words};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::second_factor::SecondFactor;

words! {
    /// What an account may do.
    #[derive(utoipa::ToSchema)]
    Role {
        /// Looks people up and reports uses at the branches assigned.
        Operator = "OPERATOR",
        /// Administers the own entity.
        EntityAdmin = "ENTITY_ADMIN",
        /// The caja's *Coordinación TIC / Convenios*.
        CajaAdmin = "CAJA_ADMIN",
    }
}

words! {
    /// How far an application is for an entity.
    #[derive(utoipa::ToSchema)]
    ApplicationState {
        /// Never requested.
        NotRequested = "NOT_REQUESTED",
        /// *Enviada*.
        Submitted = "SUBMITTED",
        /// *En revisión*.
        InReview = "IN_REVIEW",
        /// *Aprobada*: the tile opens.
        Approved = "APPROVED",
        /// *Rechazada*.
        Rejected = "REJECTED",
    }
}

/// The signed-in operator and their surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Me {
    /// The account.
    pub operator: Operator,
    /// The business; none for people of the caja.
    pub entity: Option<Entity>,
    /// What the account may do.
    pub roles: Vec<Role>,
    /// The branches (*sedes*) the operator works at. May be empty: then nothing can be looked up.
    pub branches: Vec<Branch>,
    /// The tiles of the *Aplicaciones* screen.
    pub applications: Vec<Application>,
    /// How the desk behaves.
    pub policy: DeskPolicy,
    /// Whether this session has the second factor that the account needs.
    #[serde(default = "SecondFactor::not_needed")]
    pub second_factor: SecondFactor,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Operator {
    /// Stays the same for ever.
    pub id: Uuid,
    /// What they sign in with.
    pub username: String,
    /// What the screen shows.
    #[schema(example = "Ana Rodríguez")]
    pub display_name: String,
}

/// A business in agreement (*entidad*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Entity {
    /// Stays the same for ever.
    pub id: Uuid,
    /// With its check digit.
    #[schema(example = "900123456-8")]
    pub nit: String,
    /// Trade name.
    #[schema(example = "GYM CARIBE")]
    pub name: String,
}

/// One site of an entity (*sede*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Branch {
    /// Stays the same for ever.
    pub id: Uuid,
    /// Short, unique in all Hanna.
    #[schema(example = "GYM-01")]
    pub code: String,
    /// What people call it.
    #[schema(example = "Sede Norte")]
    pub name: String,
    /// Where it is.
    #[schema(example = "Barranquilla")]
    pub city: String,
}

/// One application of the Hanna platform, as a tile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Application {
    /// `CONVENIOS` is the one this program opens.
    #[schema(example = "CONVENIOS")]
    pub code: String,
    /// The title of the tile.
    pub name: String,
    /// One sentence, in Spanish.
    pub description: String,
    /// The tile opens only when approved.
    pub state: ApplicationState,
    /// Why it was rejected.
    pub reason: Option<String>,
}
