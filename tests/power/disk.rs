//! A disk that loses power, as a model: what was flushed is there afterwards, and of everything else anything may be.
//!
//! | since the last flush | after the cut |
//! |---|---|
//! | a write | is there, is not, or some of its sectors are and one of them in part; whatever came after it |
//! | a truncation | is done or is not |
//! | a file was made, or deleted, and its folder not flushed | it is there or is not |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SECTOR: usize = 512;

/// What a run of cuts came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// The power went.
    pub cuts: u64,
    /// In the middle of a write or a truncation.
    pub in_a_write: u64,
    /// In the middle of a flush.
    pub in_a_flush: u64,
    /// While a file was made or deleted.
    pub in_a_folder: u64,
    /// Writes that were not flushed, and are gone whole.
    pub lost: u64,
    /// Writes that were not flushed, and are there in part.
    pub torn: u64,
    /// Files whose making or deletion was not flushed, and is gone.
    pub names_undone: u64,
    /// Flushes that were done.
    pub flushes: u64,
}

/// Something that changes the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Write,
    Flush,
    Folder,
}

/// There is no power: nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Off;

/// Why a disk with power takes no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No space left.
    Full,
    /// Files are opened for reading only.
    ReadOnly,
}

/// A file of the disk, whatever it is called.
pub type Node = usize;

/// See the module. The files lie in `folder` as the programs see them; the disk under them is here.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: StdRng,
    on: bool,
    refusal: Option<Refusal>,
    /// Whether a flush does anything: a disk may say so and not do it.
    honest: bool,
    /// So many changes more, and the power goes.
    left: Option<u64>,
    /// Whether the power goes sooner, while a file is made or deleted.
    or_in_a_folder: bool,
    files: Vec<File>,
    /// What the files are called now, and what they are called on the disk.
    names: BTreeMap<PathBuf, Node>,
    flushed_names: BTreeMap<PathBuf, Node>,
    counts: Counts,
}

#[derive(Debug, Clone, Default)]
struct File {
    flushed: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { to: usize },
}

impl Disk {
    /// The disk under `folder`, which holds the files that are there now. It is on.
    pub fn under(folder: &Path, seed: u64, honest: bool) -> Self {
        let disk = Self {
            folder: folder.to_owned(),
            state: Mutex::new(State {
                chance: StdRng::seed_from_u64(seed),
                on: false,
                refusal: None,
                honest,
                left: None,
                or_in_a_folder: false,
                files: Vec::new(),
                names: BTreeMap::new(),
                flushed_names: BTreeMap::new(),
                counts: Counts::default(),
            }),
        };
        disk.switch_on();
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power is back: what lies in the folder is what is on the disk.
    pub fn switch_on(&self) {
        let mut state = self.state();
        state.files.clear();
        state.names.clear();
        for entry in fs::read_dir(&self.folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let flushed = fs::read(&path).expect("its content");
                let node = state.files.len();
                state.files.push(File { flushed, since: Vec::new() });
                state.names.insert(path, node);
            }
        }
        state.flushed_names = state.names.clone();
        (state.left, state.or_in_a_folder) = (None, false);
        state.on = true;
    }

    /// The power goes after so many changes more; or sooner, while a file is made or deleted.
    pub fn cut_after(&self, changes: u64, or_in_a_folder: bool) {
        let mut state = self.state();
        (state.left, state.or_in_a_folder) = (Some(changes), or_in_a_folder);
    }

    /// The power goes now, if it has not gone yet.
    pub fn cut(&self) {
        let mut state = self.state();
        if state.on {
            state.on = false;
            state.counts.cuts += 1;
        }
    }

    /// From now on it takes no writes for this reason; or takes them again.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.state().refusal = refusal;
    }

    pub fn refusal(&self) -> Option<Refusal> {
        self.state().refusal
    }

    pub fn is_on(&self) -> bool {
        self.state().on
    }

    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Whether the file has this name.
    pub fn node(&self, path: &Path) -> Option<Node> {
        self.state().names.get(path).copied()
    }

    /// A file is made.
    pub fn make(&self, path: &Path) -> Result<Node, Off> {
        let mut state = self.state();
        let done = state.begin(Doing::Folder);
        let node = state.files.len();
        state.files.push(File::default());
        state.names.insert(path.to_owned(), node);
        done.map(|()| node)
    }

    /// A file is deleted; with `flush` its folder is flushed then.
    pub fn delete(&self, path: &Path, flush: bool) -> Result<(), Off> {
        let mut state = self.state();
        let done = state.begin(Doing::Folder);
        state.names.remove(path);
        if done.is_ok() && flush && state.honest {
            state.flushed_names = state.names.clone();
        }
        done
    }

    pub fn write(&self, node: Node, at: u64, bytes: &[u8]) -> Result<(), Off> {
        let at = usize::try_from(at).expect("a small file");
        self.change(node, Change::Write { at, bytes: bytes.to_vec() })
    }

    pub fn truncate(&self, node: Node, to: u64) -> Result<(), Off> {
        self.change(node, Change::Truncate { to: usize::try_from(to).expect("a small file") })
    }

    fn change(&self, node: Node, change: Change) -> Result<(), Off> {
        let mut state = self.state();
        let was_on = state.on;
        let done = state.begin(Doing::Write);
        // The one in the middle of which the power goes may be there, too.
        if was_on {
            state.files[node].since.push(change);
        }
        done
    }

    /// A file is flushed, and with `folder` the names in its folder.
    pub fn flush(&self, node: Node, folder: bool) -> Result<(), Off> {
        let mut state = self.state();
        state.begin(Doing::Flush)?;
        state.counts.flushes += 1;
        if state.honest {
            let file = &mut state.files[node];
            for change in std::mem::take(&mut file.since) {
                change.apply(&mut file.flushed);
            }
            if folder {
                state.flushed_names = state.names.clone();
            }
        }
        Ok(())
    }

    /// Puts what the cut left into the folder. Nothing has it open any more.
    pub fn leave_what_is_left(&self) {
        let mut state = self.state();
        assert!(!state.on, "the power has gone");
        let paths: BTreeSet<PathBuf> =
            state.names.keys().chain(state.flushed_names.keys()).cloned().collect();
        for path in paths {
            let (now, flushed) = (state.names.get(&path).copied(), state.flushed_names.get(&path).copied());
            let node = if now == flushed || state.chance.random_bool(0.5) {
                now
            } else {
                state.counts.names_undone += 1;
                flushed
            };
            // It may not be there.
            let _ = fs::remove_file(&path);
            if let Some(node) = node {
                let content = state.left_of(node);
                fs::write(&path, content).expect("written");
            }
        }
        // What SQLite keeps in memory only, shared among processes.
        for entry in fs::read_dir(&self.folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.to_string_lossy().ends_with("-shm") {
                fs::remove_file(path).expect("removed");
            }
        }
    }
}

impl State {
    /// Counts a change that begins. The power may go in the middle of it.
    fn begin(&mut self, doing: Doing) -> Result<(), Off> {
        if !self.on {
            return Err(Off);
        }
        let Some(left) = self.left.as_mut() else { return Ok(()) };
        let aimed_at = self.or_in_a_folder && matches!(doing, Doing::Folder);
        if *left > 0 && !aimed_at {
            *left -= 1;
            return Ok(());
        }
        self.on = false;
        self.counts.cuts += 1;
        *match doing {
            Doing::Write => &mut self.counts.in_a_write,
            Doing::Flush => &mut self.counts.in_a_flush,
            Doing::Folder => &mut self.counts.in_a_folder,
        } += 1;
        Err(Off)
    }

    /// The content of a file after the cut.
    fn left_of(&mut self, node: Node) -> Vec<u8> {
        let file = self.files[node].clone();
        let mut content = file.flushed;
        // Sometimes nearly everything had reached the disk by itself, sometimes hardly anything.
        let kept = [0.05, 0.5, 0.95][self.chance.random_range(0..3)];
        for change in file.since {
            if self.chance.random_bool(kept) {
                change.apply(&mut content);
            } else if let Change::Write { at, bytes } = change
                && self.chance.random_bool(0.5)
            {
                self.counts.torn += 1;
                self.tear(&mut content, at, &bytes);
            } else {
                self.counts.lost += 1;
            }
        }
        content
    }

    /// Some sectors of a write reach the disk, the last of them not to its end.
    fn tear(&mut self, content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
        let mut begin = 0;
        while begin < bytes.len() {
            let end = (begin + SECTOR - (at + begin) % SECTOR).min(bytes.len());
            if self.chance.random_bool(0.5) {
                let whole = self.chance.random_bool(0.8);
                let end = if whole { end } else { self.chance.random_range(begin..end) };
                put(content, at + begin, &bytes[begin..end]);
            }
            begin = end;
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(content, *at, bytes),
            Self::Truncate { to } => content.resize(*to, 0),
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = &[1; 2000];
    const NEW: &[u8] = &[2; 2000];

    /// What is left of a file of ones over which twos were written, for many seeds.
    fn left(honest: bool, flush: bool) -> Vec<Vec<u8>> {
        let one = |seed| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("a");
            fs::write(&path, OLD).expect("written");
            let disk = Disk::under(folder.path(), seed, honest);
            let node = disk.node(&path).expect("a file");
            disk.write(node, 0, NEW).expect("written");
            if flush {
                disk.flush(node, false).expect("flushed");
            }
            disk.cut();
            assert_eq!(disk.write(node, 0, OLD), Err(Off));
            disk.leave_what_is_left();
            fs::read(&path).expect("its content")
        };
        (0..60).map(one).collect()
    }

    #[test]
    fn what_was_flushed_is_there_and_of_the_rest_anything() {
        assert!(left(true, true).iter().all(|content| content == NEW));
        for any in [left(true, false), left(false, true)] {
            assert!(any.iter().any(|content| content == OLD), "a write is lost");
            assert!(any.iter().any(|content| content == NEW), "a write is kept");
            let torn = |content: &&Vec<u8>| content.contains(&1) && content.contains(&2);
            assert!(any.iter().any(|content| torn(&content)), "a write is torn");
        }
    }

    #[test]
    fn a_name_is_sure_once_its_folder_was_flushed() {
        let there = |seed, flush| {
            let folder = tempfile::tempdir().expect("a folder");
            let disk = Disk::under(folder.path(), seed, true);
            let path = folder.path().join("a");
            let node = disk.make(&path).expect("made");
            disk.flush(node, flush).expect("flushed");
            disk.cut();
            disk.leave_what_is_left();
            path.exists()
        };
        assert!((0..20).all(|seed| there(seed, true)));
        assert!((0..20).any(|seed| there(seed, false)) && (0..20).any(|seed| !there(seed, false)));
    }
}
