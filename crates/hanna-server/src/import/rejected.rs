//! The file of what is wrong, for whoever has to put it right.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tokio::io::AsyncReadExt;

use super::columns::Column;
use super::why::BadLine;

/// UTF-8 says so, because spreadsheets believe otherwise.
const HEADER: &str = "\u{feff}linea;columna;motivo\n";

/// The most of it that is kept for the console.
const KEPT_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// What is kept of such a file: its lines, as far as they are whole within the limit.
pub async fn kept(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    tokio::fs::File::open(path).await?.take(KEPT_MAX_BYTES).read_to_end(&mut text).await?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    text.truncate(whole);
    Ok(text)
}

/// Every bad line, in the order in which they are found; never a value of theirs.
#[derive(Debug)]
pub struct RejectedFile(BufWriter<File>);

impl RejectedFile {
    /// Makes the file anew: only its header stands in it when nothing is wrong.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(HEADER.as_bytes())?;
        Ok(Self(file))
    }

    /// Writes one down.
    pub fn add(&mut self, bad: &BadLine) -> io::Result<()> {
        let column = bad.column.map(Column::name).unwrap_or_default();
        writeln!(self.0, "{};{column};\"{}\"", bad.line, bad.why.to_string().replace('"', "\"\""))
    }

    /// What is left is written.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
