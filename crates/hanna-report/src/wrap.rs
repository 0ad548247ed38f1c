//! Breaking text into lines.

use std::borrow::Cow;

use crate::fonts::Fonts;
use crate::page::Style;

const ELLIPSIS: &str = "…";

/// Breaks `text` at blanks into lines no longer than `width_mm`; a word longer than that is broken where it must be.
///
/// Of more than `lines_max` lines the last one kept ends in an ellipsis. `text` has single blanks, none at its ends
/// (see [`Fonts::printable`]); an empty text has no lines.
pub fn wrap<'a>(
    fonts: &Fonts,
    text: &'a str,
    style: Style,
    width_mm: f32,
    lines_max: usize,
) -> Vec<Cow<'a, str>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && lines.len() < lines_max {
        let (line, after) = split_line(fonts, rest, style, width_mm);
        if lines.len() + 1 == lines_max && !after.is_empty() {
            lines.push(Cow::Owned(shorten(fonts, rest, style, width_mm)));
        } else {
            lines.push(Cow::Borrowed(line));
        }
        rest = after;
    }
    lines
}

/// `text` if it fits into `width_mm`, else as much of it as does with an ellipsis.
pub fn one_line<'a>(fonts: &Fonts, text: &'a str, style: Style, width_mm: f32) -> Cow<'a, str> {
    if fonts.width_mm(text, style) <= width_mm {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(shorten(fonts, text, style, width_mm))
    }
}

/// The first line of `text`, and what comes after it.
fn split_line<'a>(fonts: &Fonts, text: &'a str, style: Style, width_mm: f32) -> (&'a str, &'a str) {
    let end = fitting(fonts, text, style, width_mm);
    if end == text.len() {
        return (text, "");
    }
    let (head, tail) = text.split_at(end);
    if let Some(tail) = tail.strip_prefix(' ') {
        return (head, tail);
    }
    match head.rfind(' ') {
        Some(blank) => (&text[..blank], &text[blank + 1..]),
        None => (head, tail),
    }
}

fn shorten(fonts: &Fonts, text: &str, style: Style, width_mm: f32) -> String {
    let room_mm = width_mm - fonts.width_mm(ELLIPSIS, style);
    let kept = &text[..fitting(fonts, text, style, room_mm)];
    format!("{}{ELLIPSIS}", kept.trim_end())
}

/// How many bytes of `text` fit into `width_mm`; one letter always does, so that breaking comes to an end.
fn fitting(fonts: &Fonts, text: &str, style: Style, width_mm: f32) -> usize {
    let mut used_mm = 0.0;
    for (at, letter) in text.char_indices() {
        used_mm += fonts.letter_mm(letter, style);
        if used_mm > width_mm && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::Face;
    use crate::page::Ink;
    use proptest::prelude::*;

    const BODY: Style = Style::new(Face::Regular, 8.5, Ink::Text);

    fn lines(text: &str, width_mm: f32, lines_max: usize) -> Vec<String> {
        wrap(Fonts::of_tests(), text, BODY, width_mm, lines_max).into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(lines("TRANSPORTES DEL NORTE S.A.S.", 30.0, 9), ["TRANSPORTES DEL", "NORTE S.A.S."]);
        assert_eq!(lines("GYM", 30.0, 9), ["GYM"]);
        assert!(lines("", 30.0, 9).is_empty());
    }

    #[test]
    fn a_word_longer_than_the_line_is_broken() {
        let broken = lines("CONSTRUCTORAINTERNACIONALDELCARIBE S.A.", 20.0, 9);
        assert!(broken.len() > 2);
        assert_eq!(broken.concat().replace(' ', ""), "CONSTRUCTORAINTERNACIONALDELCARIBES.A.");
    }

    #[test]
    fn what_does_not_fit_the_lines_ends_in_an_ellipsis() {
        let kept = lines("UNO DOS TRES CUATRO CINCO SEIS SIETE OCHO", 20.0, 2);
        assert_eq!(kept.len(), 2);
        assert!(kept[1].ends_with('…'), "{kept:?}");
        let fonts = Fonts::of_tests();
        assert_eq!(one_line(fonts, "CORTO", BODY, 40.0), "CORTO");
        assert!(one_line(fonts, "DEMASIADO LARGO", BODY, 15.0).ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_nothing_is_lost(
            text in "[A-ZÑÁ]{1,30}( [A-ZÑÁa-z.&]{1,20}){0,12}", width_mm in 8.0f32..80.0,
        ) {
            let fonts = Fonts::of_tests();
            let lines = wrap(fonts, &text, BODY, width_mm, usize::MAX);
            for line in &lines {
                prop_assert!(!line.is_empty());
                prop_assert!(fonts.width_mm(line, BODY) <= width_mm + 1e-3, "{line:?}");
            }
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
