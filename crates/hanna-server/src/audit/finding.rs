//! What reading the audit again may find, said to whoever runs the server and, in Spanish, to the caja.

use std::fmt;

use super::Anchor;
use crate::store::Stray;

/// Something is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Blocks are gone.
    BlocksMissing {
        /// From this number …
        first: i64,
        /// … to this one.
        last: i64,
    },
    /// A block is not as it was signed, or was not signed by a key of this server.
    BlockChanged(i64),
    /// A block does not follow from the one before it.
    BlockNotLinked(i64),
    /// The end of the chain is noted, and the last block is another one.
    HeadDiffers,
    /// The block that is known from elsewhere is not in the chain.
    AnchorMissing(Anchor),
    /// An act, or what it refers to, is not as it was sealed.
    Changed {
        /// The act.
        id: i64,
        /// Which.
        act: String,
    },
    /// An act that was sealed is gone.
    Removed(i64),
    /// An act stands among sealed ones and was not sealed with them.
    SlippedIn {
        /// The act.
        id: i64,
        /// Which.
        act: String,
    },
    /// What an act refers to is not there.
    RecordRemoved {
        /// The act.
        id: i64,
        /// Which.
        act: String,
    },
    /// The last purge names a block that is not in the chain, or is younger than any purge may be.
    PurgeUnfounded(i64),
    /// What is left of the blocks that were purged is not what the last purge left.
    NotAsLeft(i64),
    /// A row of a table that no act accounts for.
    Stray(Stray),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlocksMissing { first, last } if first == last => write!(f, "block {first} is missing"),
            Self::BlocksMissing { first, last } => write!(f, "blocks {first} to {last} are missing"),
            Self::BlockChanged(number) => write!(f, "block {number} is not as it was signed"),
            Self::BlockNotLinked(number) => {
                write!(f, "block {number} does not follow from the one before it")
            }
            Self::HeadDiffers => f.write_str("the last block is not the one that was sealed last"),
            Self::AnchorMissing(anchor) => write!(f, "block {anchor} is not in the chain"),
            Self::Changed { id, act } => write!(f, "act {id} ({act}), or what it records, was changed"),
            Self::Removed(id) => write!(f, "act {id} was removed"),
            Self::SlippedIn { id, act } => write!(f, "act {id} ({act}) was slipped in"),
            Self::RecordRemoved { id, act } => write!(f, "what act {id} ({act}) records was removed"),
            Self::PurgeUnfounded(id) => {
                write!(f, "act {id} (PURGED) purged up to a block that is not in the chain, or too young")
            }
            Self::NotAsLeft(id) => {
                write!(f, "what is left of the blocks that were purged is not what act {id} (PURGED) left")
            }
            Self::Stray(Stray { table, id }) => write!(f, "{table}: {id} is in no act"),
        }
    }
}

impl Finding {
    /// For the caja's console.
    pub fn in_spanish(&self) -> String {
        match self {
            Self::BlocksMissing { first, last } if first == last => format!("Falta el bloque {first}."),
            Self::BlocksMissing { first, last } => format!("Faltan los bloques {first} a {last}."),
            Self::BlockChanged(number) => format!("El bloque {number} no es como fue firmado."),
            Self::BlockNotLinked(number) => format!("El bloque {number} no sigue al anterior."),
            Self::HeadDiffers => "El último bloque no es el que se selló de último.".to_owned(),
            Self::AnchorMissing(anchor) => format!("El bloque {anchor} no está en la cadena."),
            Self::Changed { id, act } => format!("El acto {id} ({act}), o lo que registra, fue cambiado."),
            Self::Removed(id) => format!("El acto {id} fue borrado."),
            Self::SlippedIn { id, act } => format!("El acto {id} ({act}) fue agregado después del sello."),
            Self::RecordRemoved { id, act } => format!("Lo que registra el acto {id} ({act}) fue borrado."),
            Self::PurgeUnfounded(id) => format!(
                "El acto {id} (PURGED) depuró hasta un bloque que no está en la cadena, o que es demasiado reciente."
            ),
            Self::NotAsLeft(id) => {
                format!("De los bloques depurados no queda lo que dejó el acto {id} (PURGED).")
            }
            Self::Stray(Stray { table, id }) => format!("{table}: {id} no está en ningún acto."),
        }
    }
}
