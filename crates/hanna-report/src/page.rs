//! A page as the layout leaves it: runs of text and rules at their places, whatever draws them afterwards.
//!
//! Places are millimetres from the upper left corner of the paper, y growing downwards.

use crate::fonts::Face;

/// Millimetres in a typographic point.
pub const MM_PER_PT: f32 = 25.4 / 72.0;

/// How dark. There is no colour: the verdicts' are not for decoration, and many printers have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink {
    /// What is read.
    Text,
    /// What is looked up: labels, page numbers, what repeats.
    Muted,
    /// Hairlines.
    Faint,
}

impl Ink {
    /// From 0 (black) to 1 (white). `Muted` keeps a contrast of 7 to 1 on white paper.
    pub const fn greyscale(self) -> f32 {
        match self {
            Self::Text => 0.1,
            Self::Muted => 0.34,
            Self::Faint => 0.8,
        }
    }
}

/// How a run of text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    pub face: Face,
    pub size_pt: f32,
    pub ink: Ink,
}

impl Style {
    pub const fn new(face: Face, size_pt: f32, ink: Ink) -> Self {
        Self { face, size_pt, ink }
    }

    /// From the top of the tallest letter (an accented capital) to the baseline.
    pub const fn ascent_mm(self) -> f32 {
        Face::ASCENT_EM * self.size_pt * MM_PER_PT
    }

    /// From one baseline to the next: lines set so do not touch, whatever letters they have.
    pub const fn line_mm(self) -> f32 {
        (Face::ASCENT_EM + Face::DESCENT_EM) * self.size_pt * MM_PER_PT
    }
}

/// A run of text on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub x_mm: f32,
    pub baseline_mm: f32,
    pub style: Style,
    pub text: String,
}

/// A horizontal rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub x_mm: f32,
    pub y_mm: f32,
    pub length_mm: f32,
    pub thickness_pt: f32,
    pub ink: Ink,
}

/// Where a row of the report stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedRow {
    /// Its place in the report's list.
    pub index: usize,
    pub top_mm: f32,
    pub bottom_mm: f32,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub runs: Vec<Run>,
    pub rules: Vec<Rule>,
    /// The rows on this page, from the top.
    pub rows: Vec<PlacedRow>,
}

/// The size of a sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paper {
    pub width_mm: f32,
    pub height_mm: f32,
}
