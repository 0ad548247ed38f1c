//! What came out: PDF files and their text.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The text of a PDF, laid out as on the page.
pub fn text(pdf: &Path) -> String {
    let output = Command::new("pdftotext")
        .arg("-layout")
        .arg(pdf)
        .arg("-")
        .output()
        .expect("pdftotext is installed (Debian: poppler-utils)");
    assert!(output.status.success(), "{} is no PDF", pdf.display());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The PDF files of a folder.
pub fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "pdf")).collect()
}
