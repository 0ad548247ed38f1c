//! The Spanish sentences, from the catalogue that the screens use too: `assets/i18n/es.json`.
//!
//! The desk itself speaks in codes. Only what leaves it as text, a printed report or a line of
//! `hanna-deskctl`, comes here.

use std::collections::HashMap;
use std::sync::LazyLock;

use hanna_domain::outbox::{ItemCode, VoidReason};

use crate::error::{DeskError, Param};

static CATALOGUE: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    // The file is part of the program; a test reads it.
    serde_json::from_str(include_str!("../../../assets/i18n/es.json")).unwrap_or_default()
});

/// The sentence for an error, with its parameters filled in; the code itself if there is none.
pub fn error(error: &DeskError) -> String {
    let code = error.code().code();
    let Some(sentence) = CATALOGUE.get(&format!("error_{code}")) else { return code.to_owned() };
    error.params().iter().fold(sentence.clone(), |text, (name, value)| {
        let value = match value {
            Param::Number(number) => number.to_string(),
            Param::Text(text) => text.clone(),
        };
        text.replace(&format!("{{{name}}}"), &value)
    })
}

/// What the server noted or refused, in a sentence.
pub fn item_code(code: ItemCode) -> String {
    CATALOGUE.get(&format!("item_code_{code}_what")).cloned().unwrap_or_else(|| code.code().to_owned())
}

/// Why a use was taken back, in a sentence.
pub fn void_reason(reason: VoidReason, text: Option<&str>) -> String {
    let said = CATALOGUE.get(&format!("void_reason_{reason}")).map_or(reason.code(), String::as_str);
    text.map_or_else(|| said.to_owned(), |text| format!("{said}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn every_code_has_its_sentence() {
        for code in ErrorCode::ALL {
            assert_ne!(error(&DeskError::new(*code)), code.code(), "error_{code} is missing");
        }
        for reason in VoidReason::ALL {
            assert_ne!(void_reason(*reason, None), reason.code(), "void_reason_{reason} is missing");
        }
        for code in ItemCode::ALL {
            assert_ne!(item_code(*code), code.code(), "item_code_{code}_what is missing");
        }
    }

    #[test]
    fn parameters_are_filled_in() {
        let unsent = DeskError::new(ErrorCode::UnsentItems).with("count", Param::Number(3));
        let sentence = error(&unsent);
        assert!(sentence.contains('3') && !sentence.contains('{'), "{sentence}");
    }
}
