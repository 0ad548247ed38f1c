//! The finished file, read back.

use hanna_domain::{Document, DocumentKind, Tariff, UsageState};
use hanna_report::convenio::{ConvenioReport, Pdf, Row, render};
use jiff::civil::{date, datetime};
use lopdf::Document as PdfFile;

fn report(rows: usize) -> ConvenioReport {
    let row = |index: usize| Row {
        occurred_at: datetime(2026, 11, 22, 10, 32, 0, 0),
        document: Document::parse(DocumentKind::CC, &(1_045_000_000 + index).to_string()).expect("a cédula"),
        affiliate_name: "ÑÁÑEZ GÜELL, MARÍA JOSÉ".to_owned(),
        tariff: Tariff::A,
        company_name: Some("PEÑA & CÍA. (EN LIQUIDACIÓN)".to_owned()),
        branch_name: "Sede Norte".to_owned(),
        operator_name: "Ana Rodríguez".to_owned(),
        state: UsageState::Accepted,
        note: None,
    };
    ConvenioReport {
        entity_name: "GIMNASIO CAÑAVERAL".to_owned(),
        entity_nit: "900.123.456-7".to_owned(),
        branch_name: None,
        from: date(2026, 11, 1),
        to: date(2026, 11, 22),
        generated_at: datetime(2026, 11, 22, 18, 5, 9, 0),
        generated_by: "Ana Rodríguez".to_owned(),
        complete: true,
        verifiable: None,
        rows: (0..rows).map(row).collect(),
        totals: vec![(Tariff::A, u32::try_from(rows).expect("a few rows"))],
    }
}

fn rendered(report: &ConvenioReport) -> (Pdf, PdfFile) {
    let pdf = render(report).expect("no warning of the PDF library, no error");
    let file = PdfFile::load_mem(&pdf.bytes).expect("a PDF");
    (pdf, file)
}

fn fonts(file: &PdfFile) -> Vec<(String, String)> {
    let name = |font: &lopdf::Dictionary, key: &[u8]| {
        String::from_utf8_lossy(font.get(key).and_then(lopdf::Object::as_name).expect("a name")).into_owned()
    };
    let page = file.page_iter().next().expect("a page");
    let fonts = file.get_page_fonts(page).expect("fonts");
    fonts.values().map(|font| (name(font, b"Subtype"), name(font, b"BaseFont"))).collect()
}

#[test]
fn the_text_can_be_read_back_with_its_accents() {
    let (pdf, file) = rendered(&report(3));
    assert_eq!((pdf.pages, file.get_pages().len()), (1, 1));
    let text = file.extract_text(&[1]).expect("text");
    for said in [
        "GIMNASIO CAÑAVERAL",
        "ÑÁÑEZ GÜELL, MARÍA JOSÉ",
        "PEÑA & CÍA. (EN LIQUIDACIÓN)",
        "1.045.000.002",
        "01/11/2026 – 22/11/2026",
        "Página 1 de 1",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn both_faces_are_embedded_and_each_only_once() {
    let (pdf, file) = rendered(&report(100));
    let embedded: Vec<(String, String)> = ["Regular", "Bold"]
        .map(|face| ("TrueType".to_owned(), format!("AtkinsonHyperlegibleNext-{face}")))
        .to_vec();
    assert_eq!(fonts(&file), embedded);
    let programs = file.objects.values().filter(|object| {
        let dictionary = object.as_stream().map(|stream| &stream.dict);
        dictionary.is_ok_and(|dictionary| dictionary.has(b"Length1"))
    });
    assert_eq!(programs.count(), 2);
    assert!(pdf.pages > 2);
}

#[test]
fn a_letter_outside_of_windows_1252_is_shown_too() {
    let mut report = report(40);
    report.rows[30].affiliate_name = "DVOŘÁK, ŁUKASZ".to_owned();
    let (pdf, file) = rendered(&report);
    let pages: Vec<u32> = (1..=pdf.pages).collect();
    assert!(file.extract_text(&pages).expect("text").contains("DVOŘÁK, ŁUKASZ"));
    let composite = ("Type0".to_owned(), "AtkinsonHyperlegibleNext-Regular".to_owned());
    assert!(fonts(&file).contains(&composite), "{:?}", fonts(&file));
}

#[test]
fn it_says_what_it_is_when_it_was_made_and_in_which_language() {
    let (_, mut file) = rendered(&report(1));
    let information = file.trailer.get(b"Info").and_then(lopdf::Object::as_reference).expect("a reference");
    let information = file.get_dictionary(information).expect("information").clone();
    let entry =
        |key: &[u8]| lopdf::decode_text_string(information.get(key).expect("an entry")).expect("text");
    assert_eq!(entry(b"Title"), "Reporte de Convenio · GIMNASIO CAÑAVERAL · 01/11/2026 – 22/11/2026");
    assert_eq!(entry(b"Author"), "GIMNASIO CAÑAVERAL");
    assert_eq!(entry(b"CreationDate"), "D:20261122180509-05'00'");
    assert_eq!(entry(b"ModDate"), entry(b"CreationDate"));
    let language = file.catalog_mut().expect("a catalog").get(b"Lang").expect("a language").clone();
    assert_eq!(lopdf::decode_text_string(&language).expect("text"), "es-CO");
}

#[test]
fn the_same_report_gives_the_same_bytes_and_another_one_another_file() {
    let (first, again, other) = (rendered(&report(50)).0, rendered(&report(50)).0, rendered(&report(51)).0);
    assert_eq!(first, again);
    assert_ne!(first.bytes, other.bytes);
}

#[test]
fn a_report_without_uses_is_a_page() {
    let (pdf, file) = rendered(&report(0));
    assert_eq!(pdf.pages, 1);
    assert!(file.extract_text(&[1]).expect("text").contains("No hay usos reportados"));
}

#[test]
fn a_long_report_lists_every_use_and_stays_small() {
    let (pdf, file) = rendered(&report(5_000));
    assert_eq!(usize::try_from(pdf.pages).expect("pages"), file.get_pages().len());
    let pages: Vec<u32> = (1..=pdf.pages).collect();
    let text = file.extract_text(&pages).expect("text");
    let listed = |index: usize| format!("1.045.{:03}.{:03}", index / 1000, index % 1000);
    let missing = (0..5_000).find(|index| text.matches(&listed(*index)).count() != 1);
    assert_eq!(missing, None);
    assert!(pdf.bytes.len() < 500_000, "{} bytes", pdf.bytes.len());
}
