//! Files that leave the desk: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{DeskError, ErrorCode};
use crate::store::StoreError;

/// Writes a file: beside its place first, flushed to the disk and then renamed, so that no half file is left and none of
/// before is lost.
///
/// # Errors
/// [`ErrorCode::DiskFull`] or [`ErrorCode::FileFailed`].
pub(crate) fn write_whole<W>(path: &Path, write: W) -> Result<(), DeskError>
where
    W: FnOnce(&mut dyn Write) -> io::Result<()>,
{
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = File::create(&beside).and_then(|file| {
        let mut file = io::BufWriter::new(file);
        write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        flush_folder(path);
        Ok(())
    });
    written.map_err(|error| {
        // What was begun is of no use; failing to remove it changes nothing.
        let _ = fs::remove_file(&beside);
        match StoreError::from(error) {
            full @ StoreError::Full => full.into(),
            other => DeskError::caused(ErrorCode::FileFailed, other),
        }
    })
}

/// A name is on the disk once its folder is. Only Unix lets a folder be opened for it, and not on every stick.
#[cfg(unix)]
fn flush_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::debug!(%error, "the folder of a file was not flushed");
    }
}

#[cfg(not(unix))]
const fn flush_folder(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_finished_leaves_the_one_of_before_and_nothing_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("uno.hanna");
        write_whole(&path, |out| out.write_all(b"de antes")).expect("written");
        let failed = write_whole(&path, |out| {
            out.write_all(&vec![7; 100_000])?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.expect_err("full").code(), ErrorCode::DiskFull);
        assert_eq!(fs::read(&path).expect("still there"), b"de antes");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
        let nowhere = write_whole(&folder.path().join("no/hay/uno"), |_| Ok(()));
        assert_eq!(nowhere.expect_err("no folder").code(), ErrorCode::FileFailed);
    }
}
