//! Makes a report of invented uses and says what it cost:
//!
//! ```sh
//! cargo run --release -p hanna-report --example convenio -- ROWS FILE [all | offline | one-branch [TIMES]]
//! ```

#![expect(clippy::print_stdout, reason = "it is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::time::Instant;

use hanna_domain::{Document, DocumentKind, Tariff, UsageState};
use hanna_report::convenio::{ConvenioReport, Row, Verifiable, render};
use jiff::ToSpan as _;
use jiff::civil::{date, datetime};

const SURNAMES: [&str; 16] = [
    "PÉREZ",
    "GÓMEZ",
    "NUÑEZ",
    "DE LA HOZ",
    "BARRIOSNUEVO",
    "MUÑOZ",
    "ACUÑA",
    "CASTAÑEDA",
    "IBÁÑEZ",
    "VILLARREAL",
    "ECHAVARRÍA",
    "GÜELL",
    "PEÑARANDA",
    "MONTENEGRO",
    "DEL CASTILLO",
    "ÁVILA",
];
const NAMES: [&str; 14] = [
    "JUAN CARLOS",
    "MARÍA JOSÉ",
    "BEGOÑA",
    "ÍNGRID PATRICIA",
    "JOSÉ",
    "MARÍA DE LOS ÁNGELES",
    "IVÁN",
    "LUZ MARINA",
    "ÓSCAR EDUARDO",
    "YULEIDIS",
    "ANDRÉS FELIPE",
    "KAREN SOFÍA",
    "HÉCTOR",
    "ROCÍO",
];
const COMPANIES: [&str; 9] = [
    "TRANSPORTES DEL NORTE S.A.S.",
    "CLÍNICA LA ASUNCIÓN",
    "PANADERÍA EL BUEN PAN",
    "COOPERATIVA DE TRABAJO ASOCIADO DE SERVICIOS GENERALES",
    "ELECTRICARIBE",
    "ALMACENES ÉXITO S.A.",
    "FUNDACIÓN SOCIAL NUEVO HORIZONTE",
    "TECNOGLASS S.A.S.",
    "UNIVERSIDAD DEL ATLÁNTICO",
];
const LONG_COMPANY: &str = "INVERSIONES Y CONSTRUCCIONES INTERNACIONALES DEL CARIBE COLOMBIANO MUÑOZ & PEÑARANDA \
                            ASOCIADOS S.A.S. EN REORGANIZACIÓN";
const BRANCHES: [&str; 4] = ["Sede Norte", "Sede Centro", "Gran Plaza del Sol", "Sede Villa Country"];
const OPERATORS: [&str; 4] = ["Ana Rodríguez", "Luis Peña", "Marcela Ñungo Villarreal", "José Ibáñez"];

/// Picks without a random number generator: the same rows each time.
fn pick<T: Copy>(from: &[T], row: usize, salt: usize) -> T {
    let mixed = (row + 1).wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(40_503)) >> 7;
    from[mixed % from.len()]
}

fn company(row: usize) -> &'static str {
    if row % 37 == 6 { LONG_COMPANY } else { pick(&COMPANIES, row, 5) }
}

fn row(index: usize) -> Row {
    let (kind, number) = match index % 23 {
        7 => (DocumentKind::PA, format!("AV{:06}", index * 37 % 1_000_000)),
        11 => (DocumentKind::PPT, format!("{}", 1_000_000 + index * 7919 % 6_000_000)),
        17 => (DocumentKind::CE, format!("{}", 300_000 + index * 331 % 600_000)),
        _ => (DocumentKind::CC, format!("{}", 8_000_000 + index.wrapping_mul(7_919_113) % 1_190_000_000)),
    };
    let (state, note) = match index % 41 {
        5 => (UsageState::Queued, None),
        12 => (UsageState::AcceptedWithNote, Some("Ya había usado el beneficio ese día.".to_owned())),
        23 => (UsageState::NeedsAttention, Some("La sede no pertenece a la entidad.".to_owned())),
        31 => (UsageState::Withdrawn, Some("Se reportó a la persona equivocada.".to_owned())),
        _ => (UsageState::Accepted, None),
    };
    let minutes = i64::try_from(index * 13 % (21 * 24 * 60)).unwrap_or(0);
    Row {
        occurred_at: datetime(2026, 11, 22, 10, 32, 0, 0) - minutes.minutes(),
        document: Document::parse(kind, &number).expect("an invented document"),
        affiliate_name: format!(
            "{} {}, {}",
            pick(&SURNAMES, index, 1),
            pick(&SURNAMES, index, 2),
            pick(&NAMES, index, 3)
        ),
        tariff: pick(Tariff::ALL, index, 4),
        company_name: (index % 19 != 3).then(|| company(index).to_owned()),
        branch_name: pick(&BRANCHES, index, 6).to_owned(),
        operator_name: pick(&OPERATORS, index, 7).to_owned(),
        state,
        note,
    }
}

fn report(rows: usize, variant: &str) -> ConvenioReport {
    let one_branch = variant == "one-branch";
    let mut rows: Vec<Row> = (0..rows).map(row).collect();
    rows.sort_by_key(|row| row.occurred_at);
    if one_branch {
        for row in &mut rows {
            BRANCHES[0].clone_into(&mut row.branch_name);
        }
    }
    let counts = |row: &&Row| !matches!(row.state, UsageState::NeedsAttention | UsageState::Withdrawn);
    let uses = |tariff| rows.iter().filter(counts).map(|row| u32::from(row.tariff == tariff)).sum();
    let totals = Tariff::ALL.iter().map(|tariff| (*tariff, uses(*tariff))).collect();
    ConvenioReport {
        entity_name: "GYM CARIBE S.A.S.".to_owned(),
        entity_nit: "900.123.456-7".to_owned(),
        branch_name: one_branch.then(|| BRANCHES[0].to_owned()),
        from: date(2026, 11, 1),
        to: date(2026, 11, 22),
        generated_at: datetime(2026, 11, 22, 10, 45, 0, 0),
        generated_by: "Ana Rodríguez".to_owned(),
        complete: variant != "offline",
        verifiable: (variant != "offline").then(|| Verifiable {
            code: "R01J-DPKW-000E-0080-0000-0000-0042".to_owned(),
            uses: rows.iter().filter(counts).map(|_| 1).sum(),
        }),
        rows,
        totals,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().ok_or("how many rows?")?.parse()?;
    let file = arguments.next().ok_or("into which file?")?;
    let report = report(rows, &arguments.next().unwrap_or_default());
    for _ in 0..arguments.next().map_or(Ok(1), |times| times.parse())? {
        let start = Instant::now();
        let pdf = render(&report)?;
        println!("{rows} rows, {} pages, {} bytes, {:?}", pdf.pages, pdf.bytes.len(), start.elapsed());
        std::fs::write(&file, pdf.bytes)?;
    }
    Ok(())
}
