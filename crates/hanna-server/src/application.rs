//! The applications of the Hanna platform, as tiles.

use hanna_wire::me::{Application, ApplicationState};

use crate::store::ApplicationRow;

/// The application this program is for.
pub const CONVENIOS: &str = "CONVENIOS";

/// Code, title and sentence of every application there is.
const CATALOGUE: [(&str, &str, &str); 1] = [(
    CONVENIOS,
    "Convenios",
    "Consulte a los trabajadores afiliados a la caja y reporte el uso de los beneficios del convenio.",
)];

/// The tiles of an entity that requested `requested`.
pub fn tiles(requested: &[ApplicationRow]) -> Vec<Application> {
    let tile = |(code, name, description): (&str, &str, &str)| {
        let row = requested.iter().find(|row| row.code == code);
        Application {
            code: code.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            state: row.map_or(ApplicationState::NotRequested, |row| row.state),
            reason: row.and_then(|row| row.reason.clone()),
        }
    };
    CATALOGUE.into_iter().map(tile).collect()
}

/// The title of an application; its code if there is no such application.
pub fn name(code: &str) -> &str {
    CATALOGUE.iter().find(|(known, ..)| *known == code).map_or(code, |(_, name, _)| name)
}
