//! What the tests of more than one crate share: a clock moved by hand, seeded chance, the real server on a free
//! port, a proxy before several, desks by name, faults by name, a private printer.
//!
//! Nothing here is part of the program.

pub mod chance;
pub mod clock;
pub mod cups;
pub mod desks;
pub mod faults;
pub mod impostor;
pub mod keyring;
pub mod port;
pub mod proxy;
pub mod server;
