//! Tests that need more than one crate; see the folders beside this file.
//!
//! | folder | what |
//! |---|---|
//! | `contract/` | one suite for every implementation of a trait |
//! | `sync/` | desks and the real server in one process, time moved by hand |
//! | `simulation/` | a seed makes days at the desks, with every fault; laws are looked at after every step |
//! | `crash/` | the real programs, killed while they work |
//! | `power/` | the real databases on a disk that loses power and tears what was not flushed |
//! | `e2e/` | the built program in a real window, driven through WebKitWebDriver |
//! | `bench/` | `cargo xtask bench`: each figure as a ratio to a reference of the same run |

pub mod programs;
pub mod template;
pub mod terminal;
