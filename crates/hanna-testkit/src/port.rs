//! Ports of this machine that may be left and taken again.
//!
//! What the system hands out to whoever names no port, it may hand out to somebody else as soon as it is left: to any
//! connection of a test that runs beside. These are of the range it never hands out.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below what Linux, macOS and Windows hand out, above what services are usually given.
const FIRST: u16 = 20_000;
const COUNT: u32 = 12_000;

/// Listens on a port that stays free for whoever listened there, on loopback.
///
/// # Panics
/// When a thousand ports of the range are taken.
pub fn listen() -> TcpListener {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Tests beside this one are other processes, with ids close to this one's.
    let place = |n: u32| std::process::id().wrapping_mul(97).wrapping_add(n) % COUNT;
    let mut places = (0..1_000).map(|_| place(NEXT.fetch_add(1, Ordering::Relaxed)));
    let listen = |place| TcpListener::bind(("127.0.0.1", FIRST + u16::try_from(place).ok()?)).ok();
    places.find_map(listen).expect("a free port")
}

/// The same for a program that is told where to listen.
pub fn free() -> u16 {
    listen().local_addr().expect("an address").port()
}
