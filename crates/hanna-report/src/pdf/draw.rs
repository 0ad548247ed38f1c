//! A page as printpdf's operations.

use printpdf::ops::PdfFontHandle;
use printpdf::{Color, CurTransMat, FontId, Greyscale, Line, LinePoint, Op, Point, Pt, TextItem};

use super::simple_font;
use crate::fonts::Face;
use crate::page::{Ink, MM_PER_PT, Page, Paper, Rule, Run, Style};

/// Coordinates are whole numbers of these in a point: short to write, finer than any printer.
const STEPS_PER_PT: f32 = 100.0;

/// The name the pages call a composite font by.
pub fn font_id(face: Face) -> FontId {
    FontId(match face {
        Face::Regular => "R".to_owned(),
        Face::Bold => "B".to_owned(),
    })
}

/// What draws `page`. Places are written relative to the last one: in a table they repeat, and compress well.
pub fn operations(page: Page, paper: Paper) -> Vec<Op> {
    let mut operations = Vec::new();
    rules(&mut operations, &page.rules, paper);
    runs(&mut operations, page.runs, paper);
    operations
}

fn rules(operations: &mut Vec<Op>, rules: &[Rule], paper: Paper) {
    operations.push(Op::SaveGraphicsState);
    let mut pen = None;
    let mut at = Place::default();
    for rule in rules {
        if pen != Some((rule.ink, rule.thickness_pt)) {
            pen = Some((rule.ink, rule.thickness_pt));
            operations.push(Op::SetOutlineColor { col: grey(rule.ink) });
            operations.push(Op::SetOutlineThickness { pt: Pt(rule.thickness_pt) });
        }
        let Point { x, y } = at.move_to(rule.x_mm, rule.y_mm, paper);
        operations.push(Op::SetTransformationMatrix { matrix: CurTransMat::Translate(x, y) });
        let end = |x| LinePoint { p: Point { x, y: Pt(0.0) }, bezier: false };
        let points = vec![end(Pt(0.0)), end(points(steps(rule.length_mm)))];
        operations.push(Op::DrawLine { line: Line { points, is_closed: false } });
    }
    operations.push(Op::RestoreGraphicsState);
}

fn runs(operations: &mut Vec<Op>, runs: Vec<Run>, paper: Paper) {
    operations.push(Op::StartTextSection);
    let mut font = None;
    let mut ink = None;
    let mut at = Place::default();
    for Run { x_mm, baseline_mm, style, text } in runs {
        let simple = simple_font::can_show(&text);
        if font != Some((style.face, style.size_pt, simple)) {
            font = Some((style.face, style.size_pt, simple));
            operations.push(set_font(style, simple));
        }
        if ink != Some(style.ink) {
            ink = Some(style.ink);
            operations.push(Op::SetFillColor { col: grey(style.ink) });
        }
        operations.push(Op::SetTextCursor { pos: at.move_to(x_mm, baseline_mm, paper) });
        let items = if simple { by_encoding(&text) } else { vec![TextItem::Text(text)] };
        operations.push(Op::ShowText { items });
    }
    operations.push(Op::EndTextSection);
}

fn set_font(style: Style, simple: bool) -> Op {
    let font = if simple {
        PdfFontHandle::Builtin(simple_font::stand_in(style.face))
    } else {
        PdfFontHandle::External(font_id(style.face))
    };
    Op::SetFont { font, size: Pt(style.size_pt) }
}

/// `text` cut where ASCII ends or begins: printpdf writes a text with one other letter in it wholly in hexadecimal.
fn by_encoding(text: &str) -> Vec<TextItem> {
    let same = |a: &u8, b: &u8| a.is_ascii() == b.is_ascii();
    let parts =
        text.as_bytes().chunk_by(same).map(|part| TextItem::Text(String::from_utf8_lossy(part).into_owned()));
    parts.collect()
}

/// Where the last thing was drawn, in whole steps: what is rounded once does not add up.
#[derive(Default)]
struct Place {
    x: i32,
    y: i32,
}

impl Place {
    /// Goes to a place on the page; says how far that is. Upwards is positive.
    fn move_to(&mut self, x_mm: f32, y_mm: f32, paper: Paper) -> Point {
        let from = std::mem::replace(self, Self { x: steps(x_mm), y: steps(paper.height_mm - y_mm) });
        Point { x: points(self.x - from.x), y: points(self.y - from.y) }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a sheet of paper has some 80,000 steps")]
fn steps(mm: f32) -> i32 {
    (mm / MM_PER_PT * STEPS_PER_PT).round() as i32
}

#[expect(clippy::cast_precision_loss, reason = "a sheet of paper has some 80,000 steps")]
fn points(steps: i32) -> Pt {
    Pt(steps as f32 / STEPS_PER_PT)
}

fn grey(ink: Ink) -> Color {
    Color::Greyscale(Greyscale::new(ink.greyscale(), None))
}
