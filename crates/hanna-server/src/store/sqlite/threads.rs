//! Connections, each on its own thread, sharing one queue of work.
//!
//! SQLite blocks; async code must not. A [`Threads`] of one connection is the writer, so that transactions queue here, in
//! order, instead of fighting for SQLite's lock; a [`Threads`] of a few is the pool of readers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failed;
use crate::store::{Result, StoreError};

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A few connections to the same database. Dropping it finishes the work that was begun and closes them.
#[derive(Debug)]
pub struct Threads {
    queue: Option<mpsc::Sender<Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts a thread for each of `connections`.
    pub fn start(name: &str, connections: Vec<Connection>) -> std::io::Result<Self> {
        let (queue, work) = mpsc::channel::<Work>();
        let work = Arc::new(Mutex::new(work));
        let start = |mut connection: Connection| {
            let work = Arc::clone(&work);
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                // Whoever waits for work holds the lock, the others wait for the lock; it is free during the work.
                while let Some(job) = next(&work) {
                    job(&mut connection);
                }
            })
        };
        let threads = connections.into_iter().map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads })
    }

    /// Runs `job` on one of the connections. If nobody waits for the answer any more when its turn comes, it is left out.
    pub async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            if reply.is_closed() {
                return;
            }
            // A transaction that panics is rolled back when it is dropped, so the connection stays good.
            let result = catch_unwind(AssertUnwindSafe(|| job(connection)))
                .unwrap_or_else(|_| Err(failed("the work on the database panicked")));
            // Nobody waiting any more is no fault: what was done is done, and a replay finds it.
            let _ = reply.send(result);
        });
        let gone = || StoreError::Failed("the threads of the database have ended".into());
        self.queue.as_ref().ok_or_else(gone)?.send(work).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn next(work: &Mutex<mpsc::Receiver<Work>>) -> Option<Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked outside of its work has nothing left to lose.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(count: usize) -> Threads {
        let connections = (0..count).map(|_| Connection::open_in_memory().expect("in memory")).collect();
        Threads::start("test", connections).expect("threads")
    }

    #[tokio::test]
    async fn a_panic_in_one_piece_of_work_does_not_stop_the_next() {
        let threads = threads(1);
        let failed = threads.run(|_| -> Result<()> { panic!("boom") }).await;
        assert!(matches!(failed, Err(StoreError::Failed(_))));
        let answer = threads
            .run(|db| db.query_row("SELECT 42", [], |row| row.get::<_, i64>(0)).map_err(super::super::fault))
            .await;
        assert_eq!(answer.expect("answered"), 42);
    }

    #[tokio::test]
    async fn work_nobody_waits_for_is_left_out() {
        let threads = threads(1);
        let (go, wait) = mpsc::channel::<()>();
        let done = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let first = threads.run(move |_| {
            wait.recv().expect("told to go on");
            Ok(())
        });
        let count = Arc::clone(&done);
        let second = threads.run(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        });
        let mut first = std::pin::pin!(first);
        {
            // Polled once so that both are queued, then the second is given up.
            let mut second = std::pin::pin!(second);
            tokio::select! { biased; _ = &mut first => {}, _ = &mut second => {}, () = std::future::ready(()) => {} }
        }
        go.send(()).expect("the thread waits");
        first.await.expect("done");
        threads.run(|_| Ok(())).await.expect("done");
        assert_eq!(done.load(std::sync::atomic::Ordering::SeqCst), 0);
    }
}
