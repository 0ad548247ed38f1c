//! The laws of the layout, on reports of every shape, and how some particular ones look.

use hanna_domain::{Document, DocumentKind, Tariff, UsageState};
use jiff::civil::{date, datetime};
use proptest::prelude::*;

use super::layout::{Layout, MARGIN_MM, PAPER};
use super::{ConvenioReport, Row, Verifiable, words};
use crate::fonts::{Face, Fonts};
use crate::page::{MM_PER_PT, Page, Run};

/// What two sums of the same lengths may differ by.
const EPSILON_MM: f32 = 0.02;

/// A rectangle on the page: left, top, right, bottom.
type Box4 = (f32, f32, f32, f32);

fn bounds(fonts: &Fonts, run: &Run) -> Box4 {
    let descent_mm = Face::DESCENT_EM * run.style.size_pt * MM_PER_PT;
    (
        run.x_mm,
        run.baseline_mm - run.style.ascent_mm(),
        run.x_mm + fonts.width_mm(&run.text, run.style),
        run.baseline_mm + descent_mm,
    )
}

fn overlap(a: Box4, b: Box4) -> bool {
    let apart = |(a_from, a_to), (b_from, b_to)| a_to <= b_from + EPSILON_MM || b_to <= a_from + EPSILON_MM;
    !apart((a.0, a.2), (b.0, b.2)) && !apart((a.1, a.3), (b.1, b.3))
}

fn inside(inner: Box4, outer: Box4) -> bool {
    inner.0 >= outer.0 - EPSILON_MM
        && inner.1 >= outer.1 - EPSILON_MM
        && inner.2 <= outer.2 + EPSILON_MM
        && inner.3 <= outer.3 + EPSILON_MM
}

fn page_texts(page: &Page) -> Vec<&str> {
    page.runs.iter().map(|run| run.text.as_str()).collect()
}

fn row() -> Row {
    Row {
        occurred_at: datetime(2026, 11, 22, 10, 32, 0, 0),
        document: Document::parse(DocumentKind::CC, "1045678901").expect("a cédula"),
        affiliate_name: "PÉREZ GÓMEZ, JUAN CARLOS".to_owned(),
        tariff: Tariff::B,
        company_name: Some("TRANSPORTES DEL NORTE S.A.S.".to_owned()),
        branch_name: "Sede Norte".to_owned(),
        operator_name: "Ana Rodríguez".to_owned(),
        state: UsageState::Accepted,
        note: None,
    }
}

fn report(rows: Vec<Row>) -> ConvenioReport {
    let uses = u32::try_from(rows.len()).expect("a few rows");
    ConvenioReport {
        entity_name: "GYM CARIBE S.A.S.".to_owned(),
        entity_nit: "900.123.456-7".to_owned(),
        branch_name: None,
        from: date(2026, 11, 1),
        to: date(2026, 11, 22),
        generated_at: datetime(2026, 11, 22, 18, 5, 0, 0),
        generated_by: "Ana Rodríguez".to_owned(),
        complete: true,
        verifiable: None,
        rows,
        totals: vec![(Tariff::B, uses)],
    }
}

fn pages(report: &ConvenioReport) -> Vec<Page> {
    Layout::new(report, Fonts::of_tests()).pages().collect()
}

/// Names as they are, as long as the contract allows, without a blank to break at, and with letters no font has.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-ZÁÉÑÜ]{2,12}( [A-ZÁÉÑÜ]{2,12}){0,3}",
        1 => "[A-ZÑ]{1,12}( [A-ZÑ]{1,12}){10,20}",
        1 => "[WMÑ]{100,160}",
        1 => "\\PC{0,40}",
    ]
}

fn document() -> impl Strategy<Value = Document> {
    prop_oneof![
        "[1-9][0-9]{2,9}".prop_map(|n| (DocumentKind::CC, n)),
        "[W9]{12}".prop_map(|n| (DocumentKind::PA, n))
    ]
    .prop_map(|(kind, number)| Document::parse(kind, &number).expect("a number of its kind"))
}

prop_compose! {
    fn any_row()(
        document in document(), affiliate_name in name(), company_name in prop::option::of(name()),
        branch_name in name(), operator_name in name(), tariff in 0..4usize, state in 0..5usize,
        note in prop::option::of(name()), minute in 0..60i8,
    ) -> Row {
        Row {
            occurred_at: datetime(2026, 11, 22, 10, minute, 0, 0),
            document, affiliate_name, company_name, branch_name, operator_name, note,
            tariff: Tariff::ALL[tariff],
            state: UsageState::ALL[state],
        }
    }
}

prop_compose! {
    fn any_report()(
        rows in prop::collection::vec(any_row(), 0..60), entity_name in name(), branch_name in prop::option::of(name()),
        generated_by in name(), complete: bool, tariffs in 0..5usize,
    ) -> ConvenioReport {
        let totals = Tariff::ALL.iter().take(tariffs).map(|tariff| (*tariff, 1_234_567)).collect();
        ConvenioReport { entity_name, branch_name, generated_by, complete, totals, ..report(rows) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_overlaps_and_nothing_leaves_the_margins(report in any_report()) {
        let fonts = Fonts::of_tests();
        let paper = (MARGIN_MM, MARGIN_MM, PAPER.width_mm - MARGIN_MM, PAPER.height_mm - MARGIN_MM);
        for page in Layout::new(&report, fonts).pages() {
            let boxes: Vec<Box4> = page.runs.iter().map(|run| bounds(fonts, run)).collect();
            for (index, inner) in boxes.iter().enumerate() {
                prop_assert!(inside(*inner, paper), "{:?}", page.runs[index]);
                for (other, outer) in boxes.iter().enumerate().skip(index + 1) {
                    prop_assert!(!overlap(*inner, *outer), "{:?} {:?}", page.runs[index], page.runs[other]);
                }
            }
            for rule in &page.rules {
                let ends = (rule.x_mm, rule.y_mm, rule.x_mm + rule.length_mm, rule.y_mm);
                prop_assert!(inside(ends, paper), "{rule:?}");
                for (index, inner) in boxes.iter().enumerate() {
                    prop_assert!(!overlap(*inner, ends), "{rule:?} strikes {:?}", page.runs[index]);
                }
            }
        }
    }

    #[test]
    fn every_row_stands_once_in_order_whole_and_with_its_document(report in any_report()) {
        let fonts = Fonts::of_tests();
        let mut next = 0;
        for page in Layout::new(&report, fonts).pages() {
            let mut free_from_mm = MARGIN_MM;
            for placed in &page.rows {
                prop_assert_eq!(placed.index, next);
                next += 1;
                prop_assert!(placed.top_mm >= free_from_mm - EPSILON_MM);
                free_from_mm = placed.bottom_mm;
                let row = (0.0, placed.top_mm, PAPER.width_mm, placed.bottom_mm);
                let number = words::document_number(&report.rows[placed.index].document);
                let stands = page.runs.iter().any(|run| run.text == number && inside(bounds(fonts, run), row));
                prop_assert!(stands, "row {} without its document", placed.index);
            }
        }
        prop_assert_eq!(next, report.rows.len());
    }

    #[test]
    fn every_page_with_rows_has_the_heading_and_every_page_its_number(report in any_report()) {
        let pages = pages(&report);
        for (index, page) in pages.iter().enumerate() {
            let texts = page_texts(page);
            prop_assert_eq!(texts.contains(&"Fecha y hora"), !page.rows.is_empty());
            let number = format!("Página {} de {}", index + 1, pages.len());
            prop_assert_eq!(texts.last().copied(), Some(number.as_str()));
            let totals = index + 1 == pages.len() && !report.rows.is_empty();
            prop_assert_eq!(texts.contains(&"Totales por tarifa"), totals);
            prop_assert_eq!(texts.contains(&"Total de usos"), totals);
        }
    }
}

#[test]
fn a_row_says_everything_of_a_use_in_spanish() {
    let pages = pages(&report(vec![Row {
        state: UsageState::NeedsAttention,
        note: Some("La sede no pertenece a la entidad.".to_owned()),
        ..row()
    }]));
    let texts = page_texts(&pages[0]).join(" ");
    for said in [
        "22/11/2026 10:32",
        "CC 1.045.678.901",
        "PÉREZ GÓMEZ, JUAN CARLOS",
        "TRANSPORTES DEL NORTE S.A.S.",
        "Sede Norte",
        "Ana Rodríguez",
        "Requiere atención",
        "La sede no pertenece a la entidad.",
        "NIT 900.123.456-7",
        "01/11/2026 – 22/11/2026",
        "Todas las sedes",
        "22/11/2026 18:05",
        "No se suman: 1 que requiere atención.",
    ] {
        let spread: String = said.split(' ').collect::<Vec<_>>().join(" ");
        assert!(texts.contains(&spread), "{said} in {texts}");
    }
}

#[test]
fn each_state_has_its_word() {
    let rows = UsageState::ALL.iter().map(|state| Row { state: *state, ..row() }).collect();
    let pages = pages(&report(rows));
    let texts = page_texts(&pages[0]);
    for word in ["Por enviar", "Enviado", "Enviado con observación", "Requiere atención", "Desistido"] {
        assert!(texts.contains(&word), "{word} in {texts:?}");
    }
}

#[test]
fn a_report_without_uses_says_so_and_shows_no_table() {
    let all = pages(&ConvenioReport { totals: Vec::new(), ..report(Vec::new()) });
    assert_eq!(all.len(), 1);
    let texts = page_texts(&all[0]);
    assert!(texts.contains(&"No hay usos reportados entre el 01/11/2026 y el 22/11/2026 en ninguna sede."));
    assert!(!texts.contains(&"Totales por tarifa"));
    let one = pages(&ConvenioReport {
        branch_name: Some("Sede Norte".to_owned()),
        from: date(2026, 11, 22),
        totals: Vec::new(),
        ..report(Vec::new())
    });
    assert!(page_texts(&one[0]).contains(&"No hay usos reportados el 22/11/2026 en Sede Norte."));
}

#[test]
fn what_was_made_without_the_server_says_so_on_every_page() {
    let pages = pages(&ConvenioReport { complete: false, ..report(vec![row(); 100]) });
    assert!(pages.len() > 2);
    assert!(page_texts(&pages[0]).contains(&"Sin conexión: solo los usos registrados en este equipo."));
    for page in &pages[1..] {
        assert!(page_texts(page).iter().any(|text| text.contains("Sin conexión: solo este equipo")));
    }
}

#[test]
fn a_code_stands_on_every_page_with_what_it_is_for_on_the_first() {
    let code = "R01J-DPKW-000E-0080-0000-0000-0042".to_owned();
    let report = |uses| ConvenioReport {
        verifiable: Some(Verifiable { code: code.clone(), uses }),
        ..report(vec![row(); 100])
    };
    let pages_of_it = pages(&report(4862));
    for page in &pages_of_it {
        let number = page_texts(page).into_iter().find(|text| text.contains(" · Página ")).expect("a footer");
        assert!(number.starts_with(&code), "{number}");
    }
    for (uses, said) in [
        (4862, "tenía registrados 4.862 usos de este período."),
        (1, "tenía registrado 1 uso de este período."),
        (0, "no tenía usos registrados de este período."),
    ] {
        let first = &pages(&report(uses))[0];
        let text = page_texts(first).into_iter().find(|text| text.starts_with("Código de verificación"));
        let text = text.expect("what it is for");
        assert!(text.contains(&code) && text.ends_with(said), "{text}");
    }
}

#[test]
fn a_report_about_one_branch_does_not_repeat_it_in_every_row() {
    let one = ConvenioReport { branch_name: Some("Sede Norte".to_owned()), ..report(vec![row(); 3]) };
    let first = &pages(&one)[0];
    assert_eq!(page_texts(first).iter().filter(|text| **text == "Sede Norte").count(), 1);

    let mut strayed = one;
    strayed.rows[1].branch_name = "Sede Centro".to_owned();
    assert!(
        page_texts(&pages(&strayed)[0]).contains(&"Sede Centro"),
        "a row of another branch shows its own"
    );
}

#[test]
fn totals_that_do_not_fit_go_together_to_a_page_of_their_own() {
    let alone = (1..100)
        .map(|rows| pages(&report(vec![row(); rows])))
        .find(|pages| pages.last().is_some_and(|page| page.rows.is_empty()))
        .expect("some number of rows leaves no room for the totals");
    let texts = page_texts(alone.last().expect("a page"));
    assert!(texts.contains(&"Totales por tarifa"));
    assert!(!texts.contains(&"Fecha y hora"));
}

#[test]
fn a_very_long_company_makes_the_row_grow_and_leaves_the_others_their_room() {
    let long = "INVERSIONES Y CONSTRUCCIONES INTERNACIONALES DEL CARIBE COLOMBIANO MUÑOZ & PEÑARANDA S.A.S.";
    let mut rows = vec![row(); 20];
    rows[7].company_name = Some(long.to_owned());
    let page = &pages(&report(rows))[0];
    let height = |index: usize| page.rows[index].bottom_mm - page.rows[index].top_mm;
    assert!(height(7) > height(6) * 1.5);
    assert!((height(5) - height(6)).abs() < EPSILON_MM);
    let whole: String = page_texts(page).join(" ");
    for word in long.split(' ') {
        assert!(whole.contains(word), "{word}");
    }
}
