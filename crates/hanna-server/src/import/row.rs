//! One line to one affiliate.

use csv_core::ReadRecordResult;
use hanna_domain::{
    Affiliate, AffiliateRole, AffiliateStatus, Company, CompanyStatus, Document, DocumentKind, Tariff,
};

use super::columns::Column;
use super::lines::{Line, Lines};
use super::why::{FileFault, Why};
use crate::folded::fold;
use crate::store::ImportRow;
use hanna_domain::nit;

/// The longest name, as the contract has it.
const NAME_MAX: usize = 80;
/// The longest company name.
const COMPANY_MAX: usize = 160;

/// Reads lines in the order of columns that the header gave.
pub struct RowReader {
    splitter: Splitter,
    /// For each of [`Column::ALL`] its place in the line.
    places: [usize; Column::ALL.len()],
    width: usize,
}

/// Everything wrong with one line.
pub type Whys = Vec<(Option<Column>, Why)>;

impl RowReader {
    /// Reads the header.
    pub fn new(lines: &mut Lines) -> Result<Self, FileFault> {
        let header = lines.next_line()?.ok_or(FileFault::Empty)?.text.map_err(FileFault::Header)?;
        let count = |delimiter: char| header.matches(delimiter).count();
        let delimiter = if count(';') >= count(',') { b';' } else { b',' };
        let mut splitter = Splitter::new(delimiter);
        let names: Vec<String> =
            splitter.split(&header).map_err(FileFault::Header)?.iter().map(|name| fold(name)).collect();
        if names.iter().all(String::is_empty) {
            return Err(FileFault::Empty);
        }
        let places_of = |column: Column| {
            let wanted = fold(column.name());
            let places = names.iter().enumerate().filter(move |(_, name)| **name == wanted);
            places.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let columns_with = |fits: fn(usize) -> bool| -> Vec<Column> {
            Column::ALL.into_iter().filter(|column| fits(places_of(*column).len())).collect()
        };
        let missing = columns_with(|times| times == 0);
        if !missing.is_empty() {
            return Err(FileFault::MissingColumns(missing));
        }
        let repeated = columns_with(|times| times > 1);
        if !repeated.is_empty() {
            return Err(FileFault::RepeatedColumns(repeated));
        }
        let places = Column::ALL.map(|column| places_of(column).first().copied().unwrap_or_default());
        Ok(Self { splitter, places, width: names.len() })
    }

    /// Reads a line; `None` for an empty one.
    pub fn read(&mut self, line: Line) -> Result<Option<ImportRow>, Whys> {
        let whole = |why| vec![(None, why)];
        let text = line.text.map_err(whole)?;
        let fields = self.splitter.split(&text).map_err(whole)?;
        // Spreadsheets write lines of nothing but delimiters below their data.
        if fields.iter().all(|field| field.trim().is_empty()) {
            return Ok(None);
        }
        if fields.len() != self.width {
            return Err(whole(Why::FieldCount { found: fields.len(), expected: self.width }));
        }
        let mut cells = Cells { fields: &fields, places: &self.places, whys: Vec::new() };
        match cells.row(line.number) {
            Some(row) if cells.whys.is_empty() => Ok(Some(row)),
            _ => Err(cells.whys),
        }
    }
}

/// Splits lines at their delimiters, outside of quotes.
struct Splitter {
    reader: csv_core::Reader,
    line: Vec<u8>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, line: Vec::new(), text: Vec::new(), ends: Vec::new() }
    }

    fn split(&mut self, line: &str) -> Result<Vec<&str>, Why> {
        if line.is_empty() {
            return Ok(Vec::new());
        }
        self.line.clear();
        self.line.extend_from_slice(line.as_bytes());
        self.line.push(b'\n');
        // What comes out is never longer than the line, nor has it more fields than characters.
        self.text.resize(self.line.len(), 0);
        self.ends.resize(self.line.len() + 1, 0);
        self.reader.reset();
        let (result, _, _, count) = self.reader.read_record(&self.line, &mut self.text, &mut self.ends);
        if result != ReadRecordResult::Record {
            // Within quotes the end of the line is text, and the record goes on.
            return Err(Why::OpenQuote);
        }
        let ends = self.ends.get(..count).unwrap_or_default();
        let starts = std::iter::once(&0).chain(ends);
        let field = |(start, end): (&usize, &usize)| {
            let bytes = self.text.get(*start..*end).unwrap_or_default();
            // Delimiters and quotes are ASCII: a field begins and ends where characters do.
            std::str::from_utf8(bytes).unwrap_or_default()
        };
        Ok(starts.zip(ends).map(field).collect())
    }
}

/// The fields of one line, and what is wrong with them.
struct Cells<'a> {
    fields: &'a [&'a str],
    places: &'a [usize; Column::ALL.len()],
    whys: Whys,
}

impl Cells<'_> {
    /// Looks at every column, so that a line is told all its faults at once; `None` when there is any.
    fn row(&mut self, line: u64) -> Option<ImportRow> {
        let document = self.document();
        let first_surname = self.required_text(Column::FirstSurname);
        let second_surname = self.text(Column::SecondSurname, NAME_MAX);
        let first_name = self.required_text(Column::FirstName);
        let second_name = self.text(Column::SecondName, NAME_MAX);
        let status = self.word(Column::Status, AffiliateStatus::ALL, AffiliateStatus::code);
        let tariff = self.word(Column::Tariff, Tariff::ALL, Tariff::code);
        let role = self.word(Column::Role, AffiliateRole::ALL, AffiliateRole::code);
        let (company_nit, company) = self.company().unzip();
        let affiliate = Affiliate {
            role: role?,
            first_surname: first_surname?,
            second_surname,
            first_name: first_name?,
            second_name,
            status: status?,
            tariff: tariff?,
            company,
        };
        Some(ImportRow { line, document: document?, affiliate, company_nit })
    }

    fn field(&self, column: Column) -> &str {
        let place = self.places.get(column as usize).copied().unwrap_or(usize::MAX);
        self.fields.get(place).copied().unwrap_or_default().trim()
    }

    fn wrong<T>(&mut self, column: Column, why: Why) -> Option<T> {
        self.whys.push((Some(column), why));
        None
    }

    fn document(&mut self) -> Option<Document> {
        let kind = self.word(Column::Kind, &DocumentKind::ALL, DocumentKind::code)?;
        match Document::parse(kind, self.field(Column::Number)) {
            Ok(document) => Some(document),
            Err(error) => self.wrong(Column::Number, Why::Document(error)),
        }
    }

    /// A text with single spaces; `None` when the field is empty, or wrong.
    fn text(&mut self, column: Column, max_chars: usize) -> Option<String> {
        let text = self.field(column).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            None
        } else if text.chars().count() > max_chars {
            self.wrong(column, Why::TooLong(max_chars))
        } else if text.chars().any(char::is_control) {
            self.wrong(column, Why::ControlCharacter)
        } else {
            Some(text)
        }
    }

    fn required_text(&mut self, column: Column) -> Option<String> {
        if self.field(column).is_empty() {
            return self.wrong(column, Why::Empty);
        }
        self.text(column, NAME_MAX)
    }

    fn word<T: Copy>(&mut self, column: Column, all: &[T], code: fn(T) -> &'static str) -> Option<T> {
        let field = self.field(column);
        if field.is_empty() {
            return self.wrong(column, Why::Empty);
        }
        let exact = all.iter().copied().find(|value| code(*value) == field);
        let folded = fold(field);
        exact
            .or_else(|| all.iter().copied().find(|value| fold(code(*value)) == folded))
            .or_else(|| self.wrong(column, Why::UnknownWord(all.iter().map(|value| code(*value)).collect())))
    }

    /// The company and its NIT: all three columns, or none.
    fn company(&mut self) -> Option<(String, Company)> {
        let columns = [Column::CompanyNit, Column::CompanyName, Column::CompanyStatus];
        let empty = columns.map(|column| self.field(column).is_empty());
        if empty == [true; 3] {
            return None;
        }
        for (column, _) in columns.into_iter().zip(empty).filter(|(_, empty)| *empty) {
            self.whys.push((Some(column), Why::CompanyIncomplete));
        }
        if empty != [false; 3] {
            return None;
        }
        let nit = match nit::parse(self.field(Column::CompanyNit)) {
            Ok(nit) => Some(nit),
            Err(fault) => self.wrong(Column::CompanyNit, Why::Nit(fault)),
        };
        let name = self.text(Column::CompanyName, COMPANY_MAX);
        let status = self.word(Column::CompanyStatus, CompanyStatus::ALL, CompanyStatus::code);
        Some((nit?, Company { name: name?, status: status? }))
    }
}
