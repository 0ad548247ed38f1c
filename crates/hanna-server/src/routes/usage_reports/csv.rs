//! Reported uses as CSV, a page of the store at a time.

use ::csv::WriterBuilder;
use axum::body::Body;
use futures_util::stream;
use hanna_domain::outbox::VoidReason;
use hanna_domain::{UsageState, colombia};
use hanna_wire::usage::UsageRow;

use crate::app::App;
use crate::store::{BoxError, UsageFilter};

const HEADINGS: [&str; 13] = [
    "fecha",
    "hora",
    "tipo_documento",
    "documento",
    "afiliado",
    "tarifa",
    "empresa",
    "sede",
    "operador",
    "estado",
    "anulado",
    "motivo_anulacion",
    "id",
];

/// Every row of `filter`. The first page is asked for when the body is read.
pub fn body(app: App, filter: UsageFilter) -> Body {
    let first = Some((filter, true));
    Body::from_stream(stream::try_unfold(first, move |state| {
        let app = app.clone();
        async move {
            let Some((filter, is_first)) = state else { return Ok(None) };
            let rows = app.store().usage_reports(filter.clone()).await?;
            let last = rows.last().filter(|_| rows.len() >= filter.limit as usize);
            let next =
                last.map(|row| (UsageFilter { after: Some((row.occurred_at, row.id)), ..filter }, false));
            Ok::<_, BoxError>(Some((lines(&rows, is_first)?, next)))
        }
    }))
}

fn lines(rows: &[UsageRow], with_headings: bool) -> Result<Vec<u8>, BoxError> {
    let mut csv = WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    if with_headings {
        csv.write_record(HEADINGS)?;
    }
    for row in rows {
        let when = colombia::wall_clock(row.occurred_at);
        let state = match row.state {
            UsageState::AcceptedWithNote => "aceptado con nota",
            // What was not accepted has no row.
            _ => "aceptado",
        };
        let void = row.void.as_ref();
        csv.write_record([
            when.date().to_string().as_str(),
            &when.strftime("%H:%M:%S").to_string(),
            row.document.kind().code(),
            row.document.number(),
            &no_formula(&row.affiliate_name),
            &row.tariff.to_string(),
            &no_formula(row.company_name.as_deref().unwrap_or_default()),
            &no_formula(&row.branch_name),
            &no_formula(&row.operator_name),
            state,
            if void.is_some() { "si" } else { "no" },
            void.map_or("", |void| reason(void.reason)),
            &row.id.to_string(),
        ])?;
    }
    Ok(csv.into_inner()?)
}

const fn reason(reason: VoidReason) -> &'static str {
    match reason {
        VoidReason::WrongPerson => "era otra persona",
        VoidReason::ReportedTwice => "se reportó dos veces",
        VoidReason::NotUsed => "no usó el beneficio",
        VoidReason::Other => "otro motivo",
    }
}

/// A spreadsheet reckons what begins like a formula: an apostrophe says that it is text.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
