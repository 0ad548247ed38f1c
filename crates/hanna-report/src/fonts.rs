//! The two faces of Atkinson Hyperlegible Next that the program carries, and how wide their letters are.

use std::borrow::Cow;

use printpdf::ParsedFont;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use crate::ReportError;
use crate::page::{MM_PER_PT, Style};

/// What stands for a letter the fonts do not have.
const REPLACEMENT: char = '?';

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Regular,
    Bold,
}

impl Face {
    /// Every face.
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];
    /// How far letters rise above the baseline, in ems (`hhea`); the same in both faces.
    pub const ASCENT_EM: f32 = 0.984;
    /// How far letters fall below the baseline, in ems (`hhea`); the same in both faces.
    pub const DESCENT_EM: f32 = 0.316;
    /// How tall capitals are, in thousandths of an em (`OS/2`); the same in both faces.
    pub const CAPITAL_HEIGHT: i64 = 668;

    /// The name the font calls itself, as PDF readers list it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "AtkinsonHyperlegibleNext-Regular",
            Self::Bold => "AtkinsonHyperlegibleNext-Bold",
        }
    }

    /// How thick the upright strokes are, in thousandths of an em; no table says it, measured at the capital I.
    pub const fn stem_width(self) -> i64 {
        match self {
            Self::Regular => 94,
            Self::Bold => 146,
        }
    }

    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => include_bytes!("../../../assets/fonts/AtkinsonHyperlegibleNext-Regular.ttf"),
            Self::Bold => include_bytes!("../../../assets/fonts/AtkinsonHyperlegibleNext-Bold.ttf"),
        }
    }
}

/// Both faces, read.
pub struct Fonts {
    regular: Font,
    bold: Font,
}

struct Font {
    parsed: ParsedFont,
    /// The width of each letter in thousandths of an em, by code point; 0 where the font has no such letter.
    /// Widths are asked for a million times in a long report: no search.
    widths: Vec<u16>,
}

impl Fonts {
    /// Reads both faces.
    pub fn load() -> Result<Self, ReportError> {
        Ok(Self { regular: Font::read(Face::Regular)?, bold: Font::read(Face::Bold)? })
    }

    /// Both faces, read once for all tests.
    #[cfg(test)]
    pub fn of_tests() -> &'static Self {
        static FONTS: std::sync::LazyLock<Fonts> =
            std::sync::LazyLock::new(|| Fonts::load().expect("the fonts are part of the program"));
        &FONTS
    }

    /// The face as the PDF library wants it.
    pub fn parsed(&self, face: Face) -> &ParsedFont {
        &self.font(face).parsed
    }

    /// How wide a letter is in thousandths of an em; 0: the face has no such letter.
    pub fn width(&self, face: Face, letter: char) -> u16 {
        self.font(face).width(letter)
    }

    /// How long `text` is when set in `style`.
    pub fn width_mm(&self, text: &str, style: Style) -> f32 {
        let font = self.font(style.face);
        let thousandths: u32 = text.chars().map(|letter| u32::from(font.width(letter))).sum();
        em_mm(style, thousandths)
    }

    /// How wide one letter is when set in `style`.
    pub fn letter_mm(&self, letter: char, style: Style) -> f32 {
        em_mm(style, self.font(style.face).width(letter).into())
    }

    /// `text` with letters the fonts have, its white space single blanks, nothing at its ends.
    ///
    /// A letter the fonts lack is set without its marks (`Ũ` → `U`), or else shown as `?`: never dropped, so that
    /// nobody takes what is printed for what was stored.
    pub fn printable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = text.trim();
        let mut after_blank = false;
        let as_it_is = text.chars().all(|letter| {
            let double_blank = std::mem::replace(&mut after_blank, letter == ' ') && letter == ' ';
            !double_blank && self.has(letter) && (letter == ' ' || !letter.is_whitespace())
        });
        if as_it_is { Cow::Borrowed(text) } else { Cow::Owned(self.replace_unprintable(text)) }
    }

    fn replace_unprintable(&self, text: &str) -> String {
        let mut printable = String::with_capacity(text.len());
        for letter in text.nfc() {
            if letter.is_whitespace() {
                if !printable.ends_with(' ') {
                    printable.push(' ');
                }
            } else if self.has(letter) {
                printable.push(letter);
            } else if !is_combining_mark(letter) && !is_invisible(letter) {
                printable.push(self.base_letter(letter));
            }
        }
        printable.truncate(printable.trim_end().len());
        printable
    }

    fn base_letter(&self, letter: char) -> char {
        let mut base = REPLACEMENT;
        decompose_canonical(letter, |part| {
            if base == REPLACEMENT && self.has(part) {
                base = part;
            }
        });
        base
    }

    fn has(&self, letter: char) -> bool {
        self.regular.width(letter) > 0 && self.bold.width(letter) > 0
    }

    const fn font(&self, face: Face) -> &Font {
        match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
        }
    }
}

impl Font {
    fn read(face: Face) -> Result<Self, ReportError> {
        let broken = ReportError::Font(face.name());
        let mut warnings = Vec::new();
        let Some(mut parsed) = ParsedFont::from_bytes(face.bytes(), 0, &mut warnings) else {
            return Err(broken);
        };
        // PDF widths are thousandths of an em; so are this font's own units, which spares rounding.
        if !warnings.is_empty() || parsed.units_per_em != 1000 {
            return Err(broken);
        }
        parsed.font_name = Some(face.name().to_owned());
        let mut widths = Vec::new();
        for (&code_point, &glyph) in &parsed.codepoint_to_glyph {
            let (Ok(index), Some(width)) = (usize::try_from(code_point), parsed.get_glyph_width(glyph))
            else {
                return Err(broken);
            };
            if index >= widths.len() {
                widths.resize(index + 1, 0);
            }
            widths[index] = width;
        }
        Ok(Self { parsed, widths })
    }

    fn width(&self, letter: char) -> u16 {
        self.widths.get(letter as usize).copied().unwrap_or(0)
    }
}

/// Control characters, the soft hyphen, zero-width blanks and joiners, marks of direction and of byte order.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

#[expect(clippy::cast_precision_loss, reason = "the width of a line is far below 2^24 thousandths of an em")]
fn em_mm(style: Style, thousandths: u32) -> f32 {
    thousandths as f32 * style.size_pt * MM_PER_PT / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Ink;

    const BODY: Style = Style::new(Face::Regular, 10.0, Ink::Text);

    #[test]
    fn every_spanish_letter_figure_and_sign_has_a_glyph_in_both_faces() {
        let fonts = Fonts::of_tests();
        let letters = "abcdefghijklmnopqrstuvwxyzáéíóúüñABCDEFGHIJKLMNOPQRSTUVWXYZÁÉÍÓÚÜÑ0123456789ªº";
        let signs = " .,;:¿?¡!()[]{}/\\&%#@*+=<>_|'\"°$€–—-“”‘’«»…•·×";
        for face in Face::ALL {
            for letter in letters.chars().chain(signs.chars()) {
                assert!(fonts.font(face).width(letter) > 0, "{} has no {letter:?}", face.name());
                assert_ne!(fonts.parsed(face).lookup_glyph_index(letter.into()), Some(0), "{letter:?}");
            }
        }
    }

    #[test]
    fn figures_are_of_one_width_so_that_numbers_stand_in_columns() {
        let fonts = Fonts::of_tests();
        for face in Face::ALL {
            let widths: std::collections::BTreeSet<u16> =
                ('0'..='9').map(|figure| fonts.font(face).width(figure)).collect();
            assert_eq!(widths.len(), 1, "{}", face.name());
        }
    }

    #[test]
    fn the_fonts_are_small_and_as_tall_as_the_layout_assumes() {
        let fonts = Fonts::of_tests();
        for face in Face::ALL {
            assert!(face.bytes().len() < 60_000);
            let metrics = &fonts.parsed(face).font_metrics;
            assert_eq!((metrics.ascent, metrics.descent), (984, -316));
        }
    }

    #[test]
    fn a_width_is_the_sum_of_its_letters() {
        let fonts = Fonts::of_tests();
        let sum = fonts.letter_mm('Ñ', BODY) + fonts.letter_mm('1', BODY);
        assert!((fonts.width_mm("Ñ1", BODY) - sum).abs() < 1e-5);
        assert!((fonts.letter_mm('1', BODY) - 0.632 * 10.0 * MM_PER_PT).abs() < 1e-5);
    }

    #[test]
    fn what_the_fonts_have_stays_and_the_rest_is_shown_as_best_it_can() {
        let fonts = Fonts::of_tests();
        for (text, printed) in [
            ("ÑÁÑEZ GÜELL, JOSÉ", "ÑÁÑEZ GÜELL, JOSÉ"),
            ("N\u{303}A\u{301}N\u{303}EZ", "ÑÁÑEZ"),
            ("  DE\tLA\u{a0}\n HOZ  ", "DE LA HOZ"),
            ("Ũ Ắ", "U A"),
            ("日本", "??"),
            ("A\u{0}\u{200b}B", "AB"),
            ("", ""),
        ] {
            assert_eq!(fonts.printable(text), printed, "{text:?}");
        }
        assert!(matches!(fonts.printable("PÉREZ GÓMEZ"), Cow::Borrowed(_)));
    }
}
