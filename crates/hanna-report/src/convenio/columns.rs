//! The columns of the table: what each says of a row, and how wide it becomes.

use std::borrow::Cow;

use hanna_domain::UsageState;

use super::{ConvenioReport, Row, words};
use crate::fonts::{Face, Fonts};
use crate::page::{Ink, Style};

pub const HEADER: Style = Style::new(Face::Bold, 7.5, Ink::Muted);
const CELL: Style = Style::new(Face::Regular, 8.0, Ink::Text);
const CELL_STRONG: Style = Style::new(Face::Bold, 8.0, Ink::Text);
const CELL_QUIET: Style = Style::new(Face::Regular, 8.0, Ink::Muted);

/// From one line of a cell to the next.
pub const CELL_LINE_MM: f32 = CELL.line_mm();

/// Between two columns.
const GAP_MM: f32 = 3.2;
/// Between the kind of a document and its number.
const KIND_GAP_MM: f32 = 1.4;

/// The letters of a text may sum up to a little more or less than the text: in another order, other last digits.
const ROUNDING_MM: f32 = 0.01;

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    When,
    DocumentKind,
    DocumentNumber,
    Name,
    Tariff,
    Company,
    Branch,
    Operator,
    State,
}

/// Where a text stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Center,
    Right,
}

/// How wide a column becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Room {
    /// As wide as its longest text: it is never broken.
    Whole,
    /// Its share of what the others leave, at least so much.
    Shared { least_mm: f32 },
}

impl Field {
    const ALL: [Self; 9] = [
        Self::When,
        Self::DocumentKind,
        Self::DocumentNumber,
        Self::Name,
        Self::Tariff,
        Self::Company,
        Self::Branch,
        Self::Operator,
        Self::State,
    ];

    /// The column's heading. That of a document stands over its number.
    pub const fn title(self) -> &'static str {
        match self {
            Self::When => "Fecha y hora",
            Self::DocumentKind => "",
            Self::DocumentNumber => "Documento",
            Self::Name => "Afiliado",
            Self::Tariff => "Tarifa",
            Self::Company => "Empresa",
            Self::Branch => "Sede",
            Self::Operator => "Operador",
            Self::State => "Estado",
        }
    }

    pub const fn align(self) -> Align {
        match self {
            Self::DocumentNumber => Align::Right,
            Self::Tariff => Align::Center,
            _ => Align::Left,
        }
    }

    const fn room(self) -> Room {
        match self {
            Self::When | Self::DocumentKind | Self::DocumentNumber | Self::Tariff => Room::Whole,
            Self::Name | Self::Company => Room::Shared { least_mm: 32.0 },
            Self::Branch | Self::Operator => Room::Shared { least_mm: 18.0 },
            Self::State => Room::Shared { least_mm: 26.0 },
        }
    }

    const fn gap_mm(self) -> f32 {
        match self {
            Self::DocumentKind => KIND_GAP_MM,
            _ => GAP_MM,
        }
    }

    /// What the column says of a row.
    pub fn text(self, row: &Row) -> Cow<'_, str> {
        match self {
            Self::When => words::date_and_time(row.occurred_at).into(),
            Self::DocumentKind => row.document.kind().code().into(),
            Self::DocumentNumber => words::document_number(&row.document),
            Self::Name => row.affiliate_name.as_str().into(),
            Self::Tariff => row.tariff.code().into(),
            Self::Company => row.company_name.as_deref().unwrap_or(words::NOTHING).into(),
            Self::Branch => row.branch_name.as_str().into(),
            Self::Operator => row.operator_name.as_str().into(),
            Self::State => words::state(row.state).into(),
        }
    }

    /// What the column adds to that, below it and quieter.
    pub fn note(self, row: &Row) -> Option<&str> {
        match self {
            Self::State => row.note.as_deref(),
            _ => None,
        }
    }

    pub fn style(self, row: &Row) -> Style {
        match self {
            Self::State if row.state == UsageState::NeedsAttention => CELL_STRONG,
            Self::DocumentKind => CELL_QUIET,
            _ => CELL,
        }
    }

    pub const fn note_style() -> Style {
        CELL_QUIET
    }
}

/// A column at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    pub field: Field,
    pub x_mm: f32,
    pub width_mm: f32,
}

impl Column {
    /// Whether its texts always fit and are never broken.
    pub fn is_whole(&self) -> bool {
        self.field.room() == Room::Whole
    }
}

/// The columns of the report over `width_mm`, the first one at `x_mm`.
///
/// A report about one branch does not repeat it in every row.
pub fn columns(report: &ConvenioReport, fonts: &Fonts, x_mm: f32, width_mm: f32) -> Vec<Column> {
    let one_branch = report
        .branch_name
        .as_ref()
        .is_some_and(|name| report.rows.iter().all(|row| row.branch_name == *name));
    let fields: Vec<Field> =
        Field::ALL.into_iter().filter(|field| !(one_branch && *field == Field::Branch)).collect();
    let gaps_mm: f32 = fields.iter().take(fields.len().saturating_sub(1)).map(|field| field.gap_mm()).sum();
    let measured: Vec<Measured> = fields.iter().map(|field| measure(report, fonts, *field)).collect();

    let mut x_mm = x_mm;
    let mut columns = Vec::with_capacity(fields.len());
    for (field, width_mm) in fields.into_iter().zip(share(&measured, width_mm - gaps_mm)) {
        columns.push(Column { field, x_mm, width_mm });
        x_mm += width_mm + field.gap_mm();
    }
    columns
}

/// How wide the texts of a column are.
struct Measured {
    room: Room,
    title_mm: f32,
    /// From the narrowest to the widest.
    texts_mm: Vec<f32>,
}

fn measure(report: &ConvenioReport, fonts: &Fonts, field: Field) -> Measured {
    let width_mm = |row| fonts.width_mm(&fonts.printable(&field.text(row)), field.style(row));
    let mut texts_mm: Vec<f32> = report.rows.iter().map(width_mm).collect();
    texts_mm.sort_unstable_by(f32::total_cmp);
    Measured { room: field.room(), title_mm: fonts.width_mm(field.title(), HEADER), texts_mm }
}

impl Measured {
    /// How wide the column has to be for `percent` of its texts to fit on one line; with none, the least it can be.
    fn wish_mm(&self, percent: Option<usize>) -> f32 {
        let (percent, least_mm) = match self.room {
            Room::Whole => (Some(100), 0.0),
            Room::Shared { least_mm } => (percent, least_mm),
        };
        let index = percent.map(|percent| self.texts_mm.len().saturating_sub(1) * percent / 100);
        let text_mm = index.and_then(|index| self.texts_mm.get(index));
        text_mm.map_or(0.0, |width_mm| width_mm + ROUNDING_MM).max(self.title_mm).max(least_mm)
    }
}

/// Gives each column its width, all together `room_mm`.
///
/// In every column that shares room the same part of the texts fits on one line, and that part is as large as can
/// be: a few very long ones do not take the room of all others. Where not even the shortest fit, each column gets its
/// share of the least they can be.
fn share(columns: &[Measured], room_mm: f32) -> Vec<f32> {
    let wishes = |percent| columns.iter().map(move |column| column.wish_mm(percent));
    let percent =
        (0..=100).rev().map(Some).find(|percent| wishes(*percent).sum::<f32>() <= room_mm).flatten();
    let shares = |column: &&Measured| column.room != Room::Whole;
    let wished_mm: f32 = wishes(percent).sum();
    let shared_mm: f32 = columns.iter().filter(shares).map(|column| column.wish_mm(percent)).sum();
    let stretch = (room_mm - wished_mm + shared_mm) / shared_mm;
    let width_mm = |column: &Measured| match column.room {
        Room::Whole => column.wish_mm(percent),
        Room::Shared { .. } => column.wish_mm(percent) * stretch,
    };
    columns.iter().map(width_mm).collect()
}
