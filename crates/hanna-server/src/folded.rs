//! Words as they are compared when people type them: headers of files, words of closed sets, names searched for.

/// A word without accents, capitals, spaces and signs, to compare by.
pub fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'ä' => 'a',
        'é' | 'è' | 'ë' => 'e',
        'í' | 'ì' | 'ï' => 'i',
        'ó' | 'ò' | 'ö' => 'o',
        'ú' | 'ù' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    };
    // Decomposed accents (some spreadsheets write them) are no letters, and fall out too.
    text.chars().flat_map(char::to_lowercase).map(plain).filter(|c| c.is_alphanumeric()).collect()
}
