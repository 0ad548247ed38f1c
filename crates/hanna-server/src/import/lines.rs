//! The lines of a file, decoded; one in memory at a time.
//!
//! Two passes: the first learns how many lines there are and in which encoding, the second hands them out.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::WINDOWS_1252;

use super::why::{FileFault, Why};

/// The longest line, in bytes. Longer ones are reported, not read.
const LINE_MAX: usize = 16 * 1024;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// Read as Windows-1252, which is what calls itself Latin-1 in practice.
    Latin1,
}

/// A line of the file.
pub struct Line {
    /// From 1 on.
    pub number: u64,
    /// Its text, without its end, or why it is none.
    pub text: Result<String, Why>,
}

/// A file, line by line.
pub struct Lines {
    bytes: ByteLines,
    encoding: Encoding,
    total: u64,
}

impl Lines {
    /// Opens a file and looks through it once.
    pub fn open(path: &Path) -> Result<Self, FileFault> {
        let mut scan = ByteLines::open(path)?;
        let (mut utf8, mut other, mut has_mark) = (0_u64, 0_u64, false);
        while let Some(line) = scan.next()? {
            let bytes = line.bytes;
            if line.number == 1 {
                if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
                    return Err(FileFault::Utf16);
                }
                has_mark = bytes.starts_with(UTF8_MARK);
            }
            match (bytes.is_ascii(), std::str::from_utf8(bytes)) {
                (true, _) => {}
                (false, Ok(_)) => utf8 += 1,
                (false, Err(_)) => other += 1,
            }
        }
        let total = scan.number;
        // A file is in one encoding: the one most lines with special letters are in. The others are reported.
        let encoding = if has_mark || utf8 >= other { Encoding::Utf8 } else { Encoding::Latin1 };
        Ok(Self { bytes: ByteLines::open(path)?, encoding, total })
    }

    /// How many lines there are.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes were handed out.
    pub const fn read_bytes(&self) -> u64 {
        self.bytes.read_bytes
    }

    /// The next line.
    pub fn next_line(&mut self) -> Result<Option<Line>, FileFault> {
        let encoding = self.encoding;
        let line = self.bytes.next()?;
        Ok(line.map(|line| Line { number: line.number, text: decode(&line, encoding) }))
    }
}

fn decode(line: &ByteLine<'_>, encoding: Encoding) -> Result<String, Why> {
    if line.too_long {
        return Err(Why::LineTooLong);
    }
    let bytes = match line.number {
        1 => line.bytes.strip_prefix(UTF8_MARK).unwrap_or(line.bytes),
        _ => line.bytes,
    };
    match (encoding, std::str::from_utf8(bytes)) {
        (Encoding::Utf8, Ok(text)) => Ok(text.to_owned()),
        (Encoding::Latin1, Ok(text)) if text.is_ascii() => Ok(text.to_owned()),
        (Encoding::Latin1, Err(_)) => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()),
        // Names whose Latin-1 bytes happen to be UTF-8 would read like MUÃ'OZ; a line like that is of the other encoding.
        (Encoding::Utf8, Err(_)) | (Encoding::Latin1, Ok(_)) => Err(Why::OtherEncoding),
    }
}

/// The lines of a file as bytes.
struct ByteLines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    number: u64,
    /// How far it is.
    read_bytes: u64,
}

struct ByteLine<'a> {
    number: u64,
    bytes: &'a [u8],
    too_long: bool,
}

impl ByteLines {
    fn open(path: &Path) -> Result<Self, FileFault> {
        let file = File::open(path).map_err(FileFault::Unreadable)?;
        Ok(Self { reader: BufReader::new(file), buffer: Vec::new(), number: 0, read_bytes: 0 })
    }

    fn next(&mut self) -> Result<Option<ByteLine<'_>>, FileFault> {
        self.buffer.clear();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer);
        let mut read = read.map_err(FileFault::Unreadable)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let too_long = self.buffer.len() == LINE_MAX && self.buffer.last() != Some(&b'\n');
        if too_long {
            read += self.reader.skip_until(b'\n').map_err(FileFault::Unreadable)?;
        }
        self.read_bytes += u64::try_from(read).unwrap_or(u64::MAX);
        let bytes = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(Some(ByteLine { number: self.number, bytes, too_long }))
    }
}
