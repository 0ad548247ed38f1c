//! Pages to PDF.
//!
//! printpdf draws the pages and sets up the file; lopdf, on which printpdf stands, puts them together and finishes
//! what printpdf leaves open: our fonts as simple ones ([`simple_font`]), the language, dates with the Colombian
//! offset, a file identifier that depends on nothing but the content, and compression throughout.
//!
//! printpdf's drawing operations take a hundred times the room of what they become, so the pages are drawn in small
//! batches of which only the compressed contents are kept: memory grows with the file, not with the operations.

mod draw;
mod simple_font;

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat};
use printpdf::{Mm, PdfDocument, PdfFont, PdfPage, PdfSaveOptions};
use sha2::{Digest, Sha256};

use crate::ReportError;
use crate::fonts::{Face, Fonts};
use crate::page::{Ink, Page, Paper, Run, Style};

const PROGRAM: &str = "Hanna Convenios";
const LANGUAGE: &str = "es-CO";
/// Object and cross-reference streams came with this version.
const VERSION: &str = "1.5";
/// Colombia's offset from UTC; it knows no summer time.
const OFFSET: &str = "-05'00'";
const BATCH_PAGES: usize = 16;
const IDENTIFIER_BYTES: usize = 16;
const COMPRESSION_LEVEL: u32 = 6;

/// What a PDF reader says of the document.
pub struct Properties {
    pub title: String,
    pub author: String,
    /// In Colombian time.
    pub made_at: DateTime,
}

/// Writes `pages`; gives the file and how many pages it has.
pub fn write(
    fonts: &Fonts,
    paper: Paper,
    mut pages: impl Iterator<Item = Page>,
    properties: &Properties,
) -> Result<(Vec<u8>, u32), ReportError> {
    let mut contents = Vec::new();
    let mut foreign = BTreeSet::new();
    loop {
        let batch: Vec<Page> = pages.by_ref().take(BATCH_PAGES).collect();
        if batch.is_empty() {
            break;
        }
        foreign.extend(foreign_letters(&batch));
        contents.extend(take_contents(drawn(fonts, paper, batch)?)?);
    }
    let page_count = u32::try_from(contents.len()).unwrap_or(u32::MAX);

    let mut file = drawn(fonts, paper, vec![specimen(foreign)])?;
    simple_font::embed(&mut file, fonts);
    replace_pages(&mut file, contents)?;
    describe(&mut file, properties)?;
    Ok((saved(file)?, page_count))
}

/// The pages as a PDF of their own.
fn drawn(fonts: &Fonts, paper: Paper, pages: Vec<Page>) -> Result<Document, ReportError> {
    let mut document = PdfDocument::new(PROGRAM);
    for face in Face::ALL {
        document.resources.fonts.map.insert(draw::font_id(face), PdfFont::new(fonts.parsed(face).clone()));
    }
    let (width, height) = (Mm(paper.width_mm), Mm(paper.height_mm));
    document.pages =
        pages.into_iter().map(|page| PdfPage::new(width, height, draw::operations(page, paper))).collect();
    let mut warnings = Vec::new();
    let drawn = document.to_lopdf_document(&PdfSaveOptions::default(), &mut warnings);
    if warnings.is_empty() {
        Ok(drawn)
    } else {
        Err(ReportError::Warned(warnings.into_iter().map(|warning| warning.msg).collect()))
    }
}

/// What is on the pages of `drawn`, compressed.
fn take_contents(mut drawn: Document) -> Result<Vec<Stream>, lopdf::Error> {
    let pages: Vec<ObjectId> = drawn.page_iter().collect();
    let mut contents = Vec::with_capacity(pages.len());
    for page in pages {
        let id = drawn.get_dictionary(page)?.get(b"Contents")?.as_reference()?;
        let Some(Object::Stream(mut stream)) = drawn.objects.remove(&id) else {
            return Err(lopdf::Error::ObjectNotFound(id));
        };
        stream.compress()?;
        contents.push(stream);
    }
    Ok(contents)
}

/// The letters of texts that the simple fonts cannot show.
fn foreign_letters(pages: &[Page]) -> impl Iterator<Item = char> {
    let texts = pages.iter().flat_map(|page| &page.runs).map(|run| run.text.as_str());
    texts.filter(|text| !simple_font::can_show(text)).flat_map(str::chars)
}

/// A page that shows whatever the pages of the file show, so that its fonts serve them all.
fn specimen(foreign: BTreeSet<char>) -> Page {
    let foreign = String::from_iter(foreign);
    let run = |face, text: &str| {
        let style = Style::new(face, 1.0, Ink::Text);
        Run { x_mm: 0.0, baseline_mm: 0.0, style, text: text.to_owned() }
    };
    let runs = Face::ALL.into_iter().flat_map(|face| [run(face, "A"), run(face, &foreign)]);
    Page { runs: runs.filter(|run| !run.text.is_empty()).collect(), ..Page::default() }
}

/// Puts pages with `contents` where the specimen is. What they have in common stands once, at the root of their tree.
fn replace_pages(file: &mut Document, contents: Vec<Stream>) -> Result<(), lopdf::Error> {
    let tree = file.catalog()?.get(b"Pages")?.as_reference()?;
    let specimen = file.page_iter().next().ok_or(lopdf::Error::PageNumberNotFound(1))?;
    let Some(Object::Dictionary(specimen)) = file.objects.remove(&specimen) else {
        return Err(lopdf::Error::PageNumberNotFound(1));
    };
    file.objects.remove(&specimen.get(b"Contents")?.as_reference()?);
    let mut pages: Vec<Object> = Vec::with_capacity(contents.len());
    for stream in contents {
        let page = Dictionary::from_iter([
            ("Type", Object::from("Page")),
            ("Parent", tree.into()),
            ("Contents", file.add_object(stream).into()),
        ]);
        pages.push(file.add_object(page).into());
    }
    let tree = file.get_dictionary_mut(tree)?;
    tree.set("Count", i64::try_from(pages.len()).unwrap_or(i64::MAX));
    tree.set("Kids", pages);
    for shared in ["MediaBox", "Resources"] {
        tree.set(shared, specimen.get(shared.as_bytes())?.clone());
    }
    Ok(())
}

fn describe(file: &mut Document, properties: &Properties) -> Result<(), lopdf::Error> {
    let catalog = file.catalog_mut()?;
    catalog.set("Lang", Object::string_literal(LANGUAGE));
    catalog.set("ViewerPreferences", Dictionary::from_iter([("DisplayDocTitle", Object::Boolean(true))]));

    let made_at =
        Object::string_literal(format!("D:{}{OFFSET}", properties.made_at.strftime("%Y%m%d%H%M%S")));
    let information = Dictionary::from_iter([
        ("Title", lopdf::text_string(&properties.title)),
        ("Author", lopdf::text_string(&properties.author)),
        ("Creator", lopdf::text_string(PROGRAM)),
        ("Producer", lopdf::text_string(PROGRAM)),
        ("CreationDate", made_at.clone()),
        ("ModDate", made_at),
    ]);
    let id = file.trailer.get(b"Info")?.as_reference()?;
    file.objects.insert(id, information.into());

    let identifier = Object::String(identifier(file, properties), StringFormat::Hexadecimal);
    file.trailer.set("ID", vec![identifier.clone(), identifier]);
    Ok(())
}

/// Identifies the file by what it says; printpdf counts up instead, which makes no two files equal.
fn identifier(file: &Document, properties: &Properties) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(&properties.title);
    hash.update(properties.made_at.to_string());
    for object in file.objects.values() {
        if let Object::Stream(stream) = object {
            hash.update(&stream.content);
        }
    }
    hash.finalize()[..IDENTIFIER_BYTES].to_vec()
}

fn saved(mut file: Document) -> Result<Vec<u8>, ReportError> {
    VERSION.clone_into(&mut file.version);
    file.compress();
    let options = lopdf::SaveOptions::builder()
        .use_object_streams(true)
        .use_xref_streams(true)
        .compression_level(COMPRESSION_LEVEL)
        .build();
    let mut bytes = Vec::new();
    file.save_with_options(&mut bytes, options)?;
    Ok(bytes)
}
