//! A caja of invented people, as large as it has to be: the same ones each time, each with a number that can be computed.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// The number of the person `n` is `BASE + n * STEP % MODULUS`, which is prime: no two have the same, and neighbours are far
/// apart.
pub const BASE: u64 = 1_000_000_000;
pub const STEP: u64 = 123_456_789;
pub const MODULUS: u64 = 999_999_937;

/// How many people work at one company.
const COLLEAGUES: u64 = 200;

const SURNAMES: [&str; 8] =
    ["GÓMEZ", "NÚÑEZ", "DE LA HOZ", "RODRÍGUEZ", "PEÑA", "MARTÍNEZ", "CASTAÑEDA", "LÓPEZ"];
const NAMES: [&str; 7] = ["LUZ MARINA", "JOSÉ", "ANA MARÍA", "ANDRÉS FELIPE", "SOFÍA", "IVÁN", "MARÍA JOSÉ"];

/// How many people a benchmark is about; fewer than usual only to see that it works.
pub fn count(usual: u32) -> u32 {
    std::env::var("HANNA_BENCH_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// The cédula of the person `n`.
pub const fn number(n: u64) -> u64 {
    BASE + n * STEP % MODULUS
}

/// Writes the file of these people, as the caja would.
pub fn write_csv(file: &Path, people: u32) {
    let mut csv = BufWriter::new(File::create(file).expect("a file"));
    writeln!(
        csv,
        "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;tipo_afiliado;\
         nit_empresa;empresa;estado_empresa"
    )
    .expect("written");
    for n in 1..=u64::from(people) {
        let (first, second, name) = (pick(&SURNAMES, n), pick(&SURNAMES, n / 8), pick(&NAMES, n));
        let company = n / COLLEAGUES;
        let nit = 800_000_000 + company;
        let number = number(n);
        writeln!(
            csv,
            "CC;{number};{first};{second};{name};;ACTIVO;A;TRABAJADOR;{nit};EMPRESA {company} S.A.S.;ACTIVA"
        )
        .expect("written");
    }
    csv.flush().expect("written");
}

fn pick<'a>(words: &[&'a str], n: u64) -> &'a str {
    usize::try_from(n).ok().and_then(|n| words.get(n % words.len())).copied().unwrap_or_default()
}
