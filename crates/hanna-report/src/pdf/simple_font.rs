//! The fonts as simple PDF fonts, one byte a letter.
//!
//! printpdf embeds a font as a composite one, two bytes a letter written as four hexadecimal digits: a long report
//! becomes a third larger and takes twice as long to write. For the standard fonts, which are not embedded, it writes
//! one byte a letter in `WinAnsiEncoding`. So text is drawn in a standard font, and afterwards that font's dictionary
//! is replaced by one that embeds ours in the same encoding. What `WinAnsiEncoding` lacks (`Č`, `ő`) is drawn in the
//! composite font, which is embedded only then.
//!
//! Source: ISO 32000-1, 9.6.3 (TrueType fonts), 9.8 (font descriptors), annex D.2 (`WinAnsiEncoding`).

use lopdf::{Dictionary, Document, Object, Stream};
use printpdf::BuiltinFont;

use crate::fonts::{Face, Fonts};

const FIRST_CODE: u8 = 0x20;
const LAST_CODE: u8 = 0xFF;
/// What the codes from 0x80 to 0x9F stand for; elsewhere they are those of Unicode.
const FROM_80_TO_9F: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
/// Set in the descriptor: the font has the Latin letters (ISO 32000-1, table 123).
const NON_SYMBOLIC: i64 = 1 << 5;

/// The standard font that stands for a face until [`embed`].
pub const fn stand_in(face: Face) -> BuiltinFont {
    match face {
        Face::Regular => BuiltinFont::Helvetica,
        Face::Bold => BuiltinFont::HelveticaBold,
    }
}

/// Whether the simple fonts have every letter of `text`.
pub fn can_show(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii()) || text.chars().all(is_win_ansi)
}

/// Replaces the stand-ins that were used by the fonts they stand for.
pub fn embed(document: &mut Document, fonts: &Fonts) {
    for face in Face::ALL {
        let stand_in = stand_in(face).get_id().as_bytes();
        let is_stand_in = |object: &Object| {
            let name =
                object.as_dict().and_then(|dictionary| dictionary.get(b"BaseFont")).and_then(Object::as_name);
            name.is_ok_and(|name| name == stand_in)
        };
        let found = document.objects.iter().find(|(_, object)| is_stand_in(object)).map(|(id, _)| *id);
        if let Some(id) = found {
            let font = font(document, fonts, face);
            document.objects.insert(id, Object::Dictionary(font));
        }
    }
}

fn font(document: &mut Document, fonts: &Fonts, face: Face) -> Dictionary {
    let descriptor = descriptor(document, fonts, face);
    let widths: Vec<Object> =
        (FIRST_CODE..=LAST_CODE).map(|code| i64::from(fonts.width(face, letter(code))).into()).collect();
    Dictionary::from_iter([
        ("Type", Object::from("Font")),
        ("Subtype", Object::from("TrueType")),
        ("BaseFont", Object::from(face.name())),
        ("Encoding", Object::from("WinAnsiEncoding")),
        ("FirstChar", i64::from(FIRST_CODE).into()),
        ("LastChar", i64::from(LAST_CODE).into()),
        ("Widths", widths.into()),
        ("FontDescriptor", document.add_object(descriptor).into()),
    ])
}

fn descriptor(document: &mut Document, fonts: &Fonts, face: Face) -> Dictionary {
    let parsed = fonts.parsed(face);
    let (metrics, shape) = (&parsed.font_metrics, &parsed.pdf_font_metrics);
    let program = &parsed.original_bytes;
    let length = i64::try_from(program.len()).unwrap_or_default();
    let file = Stream::new(Dictionary::from_iter([("Length1", Object::from(length))]), program.clone());
    let bounds = [shape.x_min, shape.y_min, shape.x_max, shape.y_max];
    Dictionary::from_iter([
        ("Type", Object::from("FontDescriptor")),
        ("FontName", Object::from(face.name())),
        ("Flags", NON_SYMBOLIC.into()),
        ("FontBBox", bounds.map(|bound| Object::from(i64::from(bound))).to_vec().into()),
        ("ItalicAngle", 0.into()),
        ("Ascent", i64::from(metrics.ascent).into()),
        ("Descent", i64::from(metrics.descent).into()),
        ("CapHeight", Face::CAPITAL_HEIGHT.into()),
        ("StemV", face.stem_width().into()),
        ("FontFile2", document.add_object(file).into()),
    ])
}

fn letter(code: u8) -> char {
    match code {
        0x80..=0x9F => FROM_80_TO_9F.chars().nth(usize::from(code - 0x80)).unwrap_or_default(),
        _ => char::from(code),
    }
}

fn is_win_ansi(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='ÿ') || (!letter.is_control() && FROM_80_TO_9F.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_code_page_1252() {
        assert_eq!(FROM_80_TO_9F.chars().count(), 32);
        for (code, stands_for) in
            [(0x41, 'A'), (0x80, '€'), (0x85, '…'), (0x96, '–'), (0x9F, 'Ÿ'), (0xD1, 'Ñ')]
        {
            assert_eq!(letter(code), stands_for);
            assert!(is_win_ansi(stands_for));
        }
    }

    #[test]
    fn spanish_is_shown_by_the_simple_fonts_and_czech_is_not() {
        assert!(can_show("ÁÉÍÓÚÜÑ áéíóúüñ ¿? ¡! ª º « » “ ” – — … • € 1.045.678.901"));
        assert!(!can_show("DVOŘÁK"));
        assert!(!can_show("\u{81}"));
    }
}
