//! The commands of the window, by screen. Each binds the state and calls one function of the desk.

pub mod aplicaciones;
pub mod consulta;
pub mod ingreso;
pub mod por_enviar;
pub mod reporte;
pub mod sede;

use crate::CommandError;

/// What a command answers.
pub type Answer<T> = Result<T, CommandError>;
