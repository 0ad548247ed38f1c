//! `docs/benchmarks.md`: one section a part, so that measuring one leaves what the others say.

/// How the page begins.
const HEAD: &str = "# Benchmarks\n\nMade by `cargo xtask bench`, which replaces the section of each part that it measures.\n";

/// `page` with `section`, which begins with its heading, in the place of the one with the same heading, or at the end.
pub fn with_section(page: &str, section: &str) -> String {
    let heading = |text: &str| text.lines().next().map(ToOwned::to_owned);
    let mut sections: Vec<String> =
        page.split("\n## ").skip(1).map(|text| format!("## {}\n", text.trim_end())).collect();
    let section = section.to_owned();
    match sections.iter_mut().find(|other| heading(other) == heading(&section)) {
        Some(other) => *other = section,
        None => sections.push(section),
    }
    [HEAD.to_owned()].into_iter().chain(sections).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_its_own_and_of_no_other() {
        let first = with_section("", "## A\n\none\n");
        let both = with_section(&first, "## B\n\ntwo\n");
        assert_eq!(both, format!("{HEAD}\n## A\n\none\n\n## B\n\ntwo\n"));
        let again = with_section(&both, "## A\n\nthree\n");
        assert_eq!(again, format!("{HEAD}\n## A\n\nthree\n\n## B\n\ntwo\n"));
        assert_eq!(with_section(&again, "## A\n\nthree\n"), again);
    }
}
