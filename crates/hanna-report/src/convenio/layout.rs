//! Setting the report: which rows on which page, and where everything stands.
//!
//! ```text
//! first page           later pages
//! ┌─────────────────┐  ┌─────────────────┐
//! │ title block     │  │ running head    │
//! │ table heading   │  │ table heading   │
//! │ rows            │  │ rows            │
//! │                 │  │ totals          │
//! │ footer          │  │ footer          │
//! └─────────────────┘  └─────────────────┘
//! ```
//!
//! A row is never split, and the totals stay together, on a page of their own if need be. The paper lies across:
//! eight columns need it. Pages are made one by one, so that a long report is never in memory as a whole.

use std::ops::Range;

use super::columns::{self, Align, CELL_LINE_MM, Column, Field};
use super::{ConvenioReport, Row, words};
use crate::fonts::{Face, Fonts};
use crate::page::{Ink, Page, Paper, PlacedRow, Rule, Run, Style};
use crate::wrap::{one_line, wrap};

/// Letter paper across.
pub const PAPER: Paper = Paper { width_mm: 279.4, height_mm: 215.9 };
/// No text or rule comes nearer to an edge than this; printers leave some 6 mm white.
pub const MARGIN_MM: f32 = 13.0;

const LEFT_MM: f32 = MARGIN_MM;
const WIDTH_MM: f32 = PAPER.width_mm - 2.0 * MARGIN_MM;
const RIGHT_MM: f32 = LEFT_MM + WIDTH_MM;
const FOOTER_TOP_MM: f32 = PAPER.height_mm - MARGIN_MM - FOOTER.line_mm();
/// Nothing of the body comes below this.
const BODY_BOTTOM_MM: f32 = FOOTER_TOP_MM - 4.0;

const KICKER: Style = Style::new(Face::Bold, 10.0, Ink::Muted);
const ENTITY: Style = Style::new(Face::Bold, 21.0, Ink::Text);
const NIT: Style = Style::new(Face::Regular, 10.0, Ink::Muted);
const LABEL: Style = Style::new(Face::Regular, 7.5, Ink::Muted);
const FACT: Style = Style::new(Face::Regular, 10.5, Ink::Text);
const NOTICE: Style = Style::new(Face::Bold, 9.5, Ink::Text);
const EMPTY: Style = Style::new(Face::Regular, 12.0, Ink::Text);
const RUNNING: Style = Style::new(Face::Regular, 8.0, Ink::Muted);
const RUNNING_ENTITY: Style = Style::new(Face::Bold, 8.0, Ink::Text);
const FOOTER: Style = Style::new(Face::Regular, 7.5, Ink::Muted);
const TOTAL: Style = Style::new(Face::Regular, 10.5, Ink::Text);
const GRAND_TOTAL: Style = Style::new(Face::Bold, 10.5, Ink::Text);
const REMARK: Style = Style::new(Face::Regular, 8.5, Ink::Muted);

const HAIRLINE_PT: f32 = 0.4;
const STRONG_RULE_PT: f32 = 1.0;

const ROW_PADDING_MM: f32 = 0.8;
/// The most lines of a cell. Longer than any name the contract allows; it bounds the height of a row.
const CELL_LINES_MAX: usize = 12;
const ENTITY_LINES_MAX: usize = 3;
const FACT_LINES_MAX: usize = 2;
/// Between two facts of the title block.
const FACT_GAP_MM: f32 = 8.0;
/// The totals stand side by side: what they are, then one column for each tariff and one for all.
const TOTALS_LABEL_MM: f32 = 32.0;
const TOTALS_COLUMN_MM: f32 = 26.0;

/// The report, its rows dealt out to pages.
pub struct Layout<'a> {
    report: &'a ConvenioReport,
    fonts: &'a Fonts,
    columns: Vec<Column>,
    heights_mm: Vec<f32>,
    plans: Vec<Plan>,
}

/// What a page has.
struct Plan {
    rows: Range<usize>,
    totals: bool,
}

impl<'a> Layout<'a> {
    /// Measures every row and deals them out.
    pub fn new(report: &'a ConvenioReport, fonts: &'a Fonts) -> Self {
        let columns = columns::columns(report, fonts, LEFT_MM, WIDTH_MM);
        let mut layout = Self { report, fonts, columns, heights_mm: Vec::new(), plans: Vec::new() };
        layout.heights_mm = report.rows.iter().map(|row| layout.row_height_mm(row)).collect();
        layout.plans = layout.plan();
        layout
    }

    /// Every page, made when it is asked for.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = Page> + '_ {
        (0..self.plans.len()).map(|index| self.page(index))
    }

    fn plan(&self) -> Vec<Plan> {
        let mut scratch = Page::default();
        let first_top_mm = self.head(&mut scratch, 0);
        let later_top_mm = self.head(&mut scratch, 1);
        let heading_mm = self.table_heading(&mut scratch, 0.0);
        let totals_mm = self.totals(&mut scratch, 0.0);

        let mut plans = Vec::new();
        let mut start = 0;
        let mut y_mm = first_top_mm + heading_mm;
        for (index, height_mm) in self.heights_mm.iter().enumerate() {
            if y_mm + height_mm > BODY_BOTTOM_MM {
                plans.push(Plan { rows: start..index, totals: false });
                start = index;
                y_mm = later_top_mm + heading_mm;
            }
            y_mm += height_mm;
        }
        let end = self.heights_mm.len();
        if end > 0 && y_mm + totals_mm > BODY_BOTTOM_MM {
            plans.push(Plan { rows: start..end, totals: false });
            start = end;
        }
        plans.push(Plan { rows: start..end, totals: end > 0 });
        plans
    }

    fn page(&self, index: usize) -> Page {
        let mut page = Page::default();
        let plan = &self.plans[index];
        let mut y_mm = self.head(&mut page, index);
        if self.report.rows.is_empty() {
            self.lines(&mut page, &words::no_uses(self.report), EMPTY, y_mm + 4.0, WIDTH_MM, FACT_LINES_MAX);
        }
        if !plan.rows.is_empty() {
            y_mm = self.table_heading(&mut page, y_mm);
        }
        for row in plan.rows.clone() {
            y_mm = self.row(&mut page, row, y_mm);
        }
        if plan.totals {
            self.totals(&mut page, y_mm);
        }
        self.footer(&mut page, index);
        page
    }

    /// Sets what stands above the table; says where that ends.
    fn head(&self, page: &mut Page, index: usize) -> f32 {
        if index == 0 { self.title_block(page) } else { self.running_head(page) }
    }

    fn title_block(&self, page: &mut Page) -> f32 {
        let report = self.report;
        let mut y_mm = self.lines(page, words::TITLE, KICKER, MARGIN_MM, WIDTH_MM, 1) + 0.6;
        y_mm = self.lines(page, &report.entity_name, ENTITY, y_mm, WIDTH_MM, ENTITY_LINES_MAX);
        y_mm = self.lines(page, &format!("NIT {}", report.entity_nit), NIT, y_mm, WIDTH_MM, 1) + 3.6;
        rule(page, LEFT_MM, y_mm, WIDTH_MM, STRONG_RULE_PT, Ink::Text);
        y_mm = self.facts(page, y_mm + 2.2) + 2.2;
        rule(page, LEFT_MM, y_mm, WIDTH_MM, HAIRLINE_PT, Ink::Faint);
        if !report.complete {
            y_mm = self.lines(page, words::NOT_COMPLETE, NOTICE, y_mm + 2.6, WIDTH_MM, 1);
        }
        if let Some(verifiable) = &report.verifiable {
            y_mm = self.lines(page, &words::verifiable(verifiable), REMARK, y_mm + 2.2, WIDTH_MM, 1);
        }
        y_mm + 4.5
    }

    /// Sets range, branch, who made the report and how many uses it lists, side by side.
    fn facts(&self, page: &mut Page, top_mm: f32) -> f32 {
        let report = self.report;
        let facts = [
            ("Período", words::range(report.from, report.to), 0.24),
            ("Sede", words::branch(report).to_owned(), 0.28),
            ("Generado", words::date_and_time(report.generated_at), 0.18),
            ("Generado por", report.generated_by.clone(), 0.21),
            ("Usos", words::count(report.uses()), 0.09),
        ];
        let room_mm = WIDTH_MM - FACT_GAP_MM * 4.0;
        let mut x_mm = LEFT_MM;
        let mut bottom_mm = top_mm;
        for (label, fact, share) in facts {
            let width_mm = room_mm * share;
            let y_mm = self.lines_at(page, label, LABEL, (x_mm, top_mm), width_mm, 1);
            let y_mm = self.lines_at(page, &fact, FACT, (x_mm, y_mm), width_mm, FACT_LINES_MAX);
            bottom_mm = y_mm.max(bottom_mm);
            x_mm += width_mm + FACT_GAP_MM;
        }
        bottom_mm
    }

    fn running_head(&self, page: &mut Page) -> f32 {
        let report = self.report;
        let mut about = format!("{} · {}", words::range(report.from, report.to), words::branch(report));
        if !report.complete {
            about = format!("{} · {about}", words::NOT_COMPLETE_SHORT);
        }
        let half_mm = WIDTH_MM / 2.0 - FACT_GAP_MM;
        let name_bottom_mm = self.lines(page, &report.entity_name, RUNNING_ENTITY, MARGIN_MM, half_mm, 1);
        // A name of which nothing can be printed takes no line; what stands at the right does.
        let bottom_mm = name_bottom_mm.max(MARGIN_MM + RUNNING.line_mm());
        self.line_right(page, &about, RUNNING, (RIGHT_MM, MARGIN_MM), half_mm);
        rule(page, LEFT_MM, bottom_mm + 1.2, WIDTH_MM, HAIRLINE_PT, Ink::Faint);
        bottom_mm + 5.0
    }

    fn table_heading(&self, page: &mut Page, top_mm: f32) -> f32 {
        for column in &self.columns {
            self.in_column(page, column, column.field.title(), columns::HEADER, top_mm);
        }
        let y_mm = top_mm + columns::HEADER.line_mm() + 0.9;
        rule(page, LEFT_MM, y_mm, WIDTH_MM, STRONG_RULE_PT, Ink::Text);
        y_mm
    }

    fn row(&self, page: &mut Page, index: usize, top_mm: f32) -> f32 {
        let row = &self.report.rows[index];
        for column in &self.columns {
            let mut y_mm = top_mm + ROW_PADDING_MM;
            for (line, style) in self.cell(column, row) {
                self.in_column(page, column, &line, style, y_mm);
                y_mm += CELL_LINE_MM;
            }
        }
        let bottom_mm = top_mm + self.heights_mm[index];
        rule(page, LEFT_MM, bottom_mm, WIDTH_MM, HAIRLINE_PT, Ink::Faint);
        page.rows.push(PlacedRow { index, top_mm, bottom_mm });
        bottom_mm
    }

    #[expect(clippy::cast_precision_loss, reason = "a cell has at most CELL_LINES_MAX lines")]
    fn row_height_mm(&self, row: &Row) -> f32 {
        let lines = self.columns.iter().map(|column| self.cell(column, row).len()).max().unwrap_or(1);
        lines as f32 * CELL_LINE_MM + 2.0 * ROW_PADDING_MM
    }

    /// The lines of a cell. Only what shares room is broken: dates and document numbers stand whole.
    fn cell(&self, column: &Column, row: &Row) -> Vec<(String, Style)> {
        let (text, style) = (column.field.text(row), column.field.style(row));
        let text = self.fonts.printable(&text);
        if column.is_whole() {
            return vec![(text.into_owned(), style)];
        }
        let broken = |text: &str, style, lines_max| {
            let lines = wrap(self.fonts, text, style, column.width_mm, lines_max);
            lines.into_iter().map(move |line| (line.into_owned(), style)).collect::<Vec<_>>()
        };
        let mut lines = broken(&text, style, CELL_LINES_MAX);
        if let Some(note) = column.field.note(row) {
            let room = CELL_LINES_MAX - lines.len();
            lines.extend(broken(&self.fonts.printable(note), Field::note_style(), room));
        }
        lines
    }

    fn totals(&self, page: &mut Page, top_mm: f32) -> f32 {
        let grand = ("Total de usos".to_owned(), self.report.uses(), GRAND_TOTAL);
        let by_tariff = self
            .report
            .totals
            .iter()
            .map(|(tariff, uses)| (format!("Tarifa {tariff}"), u64::from(*uses), TOTAL));
        let label_mm = top_mm + 6.0;
        let rule_mm = label_mm + columns::HEADER.line_mm() + 0.9;
        let uses_mm = rule_mm + 1.2;

        self.lines(page, "Totales por tarifa", columns::HEADER, label_mm, TOTALS_LABEL_MM, 1);
        self.lines(page, "Usos", TOTAL, uses_mm, TOTALS_LABEL_MM, 1);
        let mut right_mm = LEFT_MM + TOTALS_LABEL_MM;
        for (label, uses, style) in by_tariff.chain([grand]) {
            right_mm += TOTALS_COLUMN_MM;
            self.line_right(page, &label, columns::HEADER, (right_mm, label_mm), TOTALS_COLUMN_MM);
            self.line_right(page, &words::count(uses), style, (right_mm, uses_mm), TOTALS_COLUMN_MM);
        }
        rule(page, LEFT_MM, rule_mm, right_mm - LEFT_MM, STRONG_RULE_PT, Ink::Text);

        let bottom_mm = uses_mm + TOTAL.line_mm();
        match words::left_out(self.report) {
            Some(remark) => self.lines(page, &remark, REMARK, bottom_mm + 2.0, WIDTH_MM, 1),
            None => bottom_mm,
        }
    }

    fn footer(&self, page: &mut Page, index: usize) {
        let mut number = format!("Página {} de {}", words::count(index + 1), words::count(self.plans.len()));
        if let Some(verifiable) = &self.report.verifiable {
            number = format!("{} · {number}", verifiable.code);
        }
        self.lines(page, words::PRIVACY, FOOTER, FOOTER_TOP_MM, WIDTH_MM / 2.0, 1);
        self.line_right(page, &number, FOOTER, (RIGHT_MM, FOOTER_TOP_MM), WIDTH_MM / 2.0 - FACT_GAP_MM);
    }

    /// Sets `text` from the left margin, broken at `width_mm`; says where it ends.
    fn lines(
        &self,
        page: &mut Page,
        text: &str,
        style: Style,
        top_mm: f32,
        width_mm: f32,
        lines_max: usize,
    ) -> f32 {
        self.lines_at(page, text, style, (LEFT_MM, top_mm), width_mm, lines_max)
    }

    fn lines_at(
        &self,
        page: &mut Page,
        text: &str,
        style: Style,
        (x_mm, mut y_mm): (f32, f32),
        width_mm: f32,
        lines_max: usize,
    ) -> f32 {
        for line in wrap(self.fonts, &self.fonts.printable(text), style, width_mm, lines_max) {
            put(page, line.into_owned(), style, x_mm, y_mm);
            y_mm += style.line_mm();
        }
        y_mm
    }

    /// Sets `text` on one line that ends at `right_mm`, shortened to `width_mm`.
    fn line_right(
        &self,
        page: &mut Page,
        text: &str,
        style: Style,
        (right_mm, top_mm): (f32, f32),
        width_mm: f32,
    ) {
        let text = self.fonts.printable(text);
        let line = one_line(self.fonts, &text, style, width_mm).into_owned();
        let x_mm = right_mm - self.fonts.width_mm(&line, style);
        put(page, line, style, x_mm, top_mm);
    }

    fn in_column(&self, page: &mut Page, column: &Column, text: &str, style: Style, top_mm: f32) {
        if text.is_empty() {
            return;
        }
        let spare_mm = column.width_mm - self.fonts.width_mm(text, style);
        let indent_mm = match column.field.align() {
            Align::Left => 0.0,
            Align::Center => spare_mm / 2.0,
            Align::Right => spare_mm,
        };
        put(page, text.to_owned(), style, column.x_mm + indent_mm, top_mm);
    }
}

fn put(page: &mut Page, text: String, style: Style, x_mm: f32, top_mm: f32) {
    page.runs.push(Run { x_mm, baseline_mm: top_mm + style.ascent_mm(), style, text });
}

fn rule(page: &mut Page, x_mm: f32, y_mm: f32, length_mm: f32, thickness_pt: f32, ink: Ink) {
    page.rules.push(Rule { x_mm, y_mm, length_mm, thickness_pt, ink });
}
