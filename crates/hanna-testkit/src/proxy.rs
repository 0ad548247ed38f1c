//! What stands before several servers: each connection goes to one of those that answer, in turn.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A proxy on a free port of this machine, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Stands before `servers`. Those that do not answer are passed over, each time anew.
    ///
    /// # Errors
    /// When there is no port.
    pub fn before(servers: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let accepting = std::thread::spawn(move || {
            let turn = AtomicUsize::new(0);
            for desk in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let first = turn.fetch_add(1, Ordering::Relaxed);
                let mut order = (0..servers.len()).filter_map(|n| servers.get((first + n) % servers.len()));
                // With nobody there the desk finds its connection closed.
                if let Some(server) = order.find_map(|server| TcpStream::connect(server).ok()) {
                    pass_on(desk, server);
                }
            }
        });
        Ok(Self { address, is_over, accepting: Some(accepting) })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Both ways, until either side ends.
fn pass_on(desk: TcpStream, server: TcpStream) {
    let both = desk.try_clone().and_then(|desk| Ok((desk, server.try_clone()?)));
    let Ok((desk_too, server_too)) = both else { return };
    for (mut from, mut to) in [(desk, server), (server_too, desk_too)] {
        std::thread::spawn(move || {
            // A side that is gone ends the other one too: that is all a proxy can say.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Woken to see that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}
