use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::WINDOWS_1252;
use hanna_domain::DocumentError;

use super::*;
use crate::app::{Config, Database};
use crate::testing::{TestClock, TestEntropy};
use hanna_domain::nit::NitFault;

const HEADER: &str = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;\
                      tarifa;tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
const NUNEZ: &str =
    "CC;1045678901;ÑÚÑEZ;DE LA HOZ;JOSÉ;MARÍA;ACTIVO;A;TRABAJADOR;899999068-1;PEÑA S.A.S.;ACTIVA\n";

const fn changed(added: u64, updated: u64) -> ImportCounts {
    ImportCounts { added, updated, removed: 0 }
}

fn unwatched() -> Progress {
    Box::new(|_| ControlFlow::Continue(()))
}

/// A server without people, and files to give it.
struct Bench {
    app: App,
    dir: tempfile::TempDir,
}

impl Bench {
    async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let database = Database::Sqlite(dir.path().join("hanna.sqlite"));
        let clock = Arc::new(TestClock::new("2026-11-22T15:00:00Z"));
        let app =
            App::open(Config::new(database), clock, Arc::new(TestEntropy::new(1))).await.expect("opened");
        Self { app, dir }
    }

    async fn import(&self, bytes: impl AsRef<[u8]>) -> Result<Report, ImportError> {
        let file = self.dir.path().join("afiliados.csv");
        std::fs::write(&file, bytes).expect("written");
        self.app.import_affiliates(&file, ImportHow::default(), None, unwatched()).await
    }

    async fn import_lines(&self, lines: &[&str]) -> Report {
        self.import(format!("{HEADER}{}\n", lines.join("\n"))).await.expect("readable")
    }

    /// What is wrong with these lines, as `line column: sentence`.
    async fn wrong(&self, lines: &[&str]) -> Vec<(u64, Option<Column>, Why)> {
        let report = self.import_lines(lines).await;
        assert_eq!(report.changed, None);
        assert_eq!(report.bad_total, report.bad.len() as u64);
        report.bad.into_iter().map(|bad| (bad.line, bad.column, bad.why)).collect()
    }

    /// Everybody, in one line each.
    fn people(&self) -> Vec<String> {
        let db = rusqlite::Connection::open(self.dir.path().join("hanna.sqlite")).expect("the database");
        let mut query = db
            .prepare(
                "SELECT concat_ws(' ', a.kind, a.number, a.first_surname, a.second_surname, a.first_name, a.second_name,
                        a.status, a.tariff, a.role, c.nit, c.name, c.status)
                 FROM affiliates a LEFT JOIN companies c ON c.id = a.company_id ORDER BY a.id",
            )
            .expect("a query");
        let rows = query.query_map([], |row| row.get(0)).expect("run");
        rows.map(|row| row.expect("a row")).collect()
    }
}

fn latin1(text: &str) -> Vec<u8> {
    WINDOWS_1252.encode(text).0.into_owned()
}

#[tokio::test]
async fn the_same_people_whatever_the_encoding_delimiter_line_ends_and_header() {
    let file = format!("{HEADER}{NUNEZ}");
    let commas = file.replace(',', "").replace(';', ",");
    let variants: [(&str, Vec<u8>); 8] = [
        ("UTF-8", file.clone().into_bytes()),
        ("UTF-8 with mark", format!("\u{feff}{file}").into_bytes()),
        ("Latin-1", latin1(&file)),
        ("commas", commas.clone().into_bytes()),
        ("commas, Latin-1", latin1(&commas)),
        ("Windows line ends", file.replace('\n', "\r\n").into_bytes()),
        ("no last line end", file.trim_end().to_owned().into_bytes()),
        (
            "header variants",
            file.replace("tipo_documento", "Tipo Documento")
                .replace(";documento", "; DOCUMENTO ")
                .replace("primer_apellido", "Primér-Apellido")
                .replace("estado_empresa", "\"Estado Empresa\"")
                .into_bytes(),
        ),
    ];
    for (variant, bytes) in variants {
        let bench = Bench::open().await;
        let report = bench.import(bytes).await.expect("readable");
        assert_eq!(report.changed, Some(changed(1, 0)), "{variant}: {report:?}");
        assert_eq!(
            bench.people(),
            ["CC 1045678901 ÑÚÑEZ DE LA HOZ JOSÉ MARÍA ACTIVO A TRABAJADOR 899999068 PEÑA S.A.S. ACTIVA"],
            "{variant}"
        );
    }
}

#[tokio::test]
async fn columns_in_another_order_more_columns_quotes_and_empty_lines_do_no_harm() {
    let bench = Bench::open().await;
    let file = "nota,empresa,nit_empresa,estado_empresa,documento,tipo_documento,primer_nombre,segundo_nombre,primer_apellido,\
                segundo_apellido,estado,tarifa,tipo_afiliado\n\
                \n\
                x,\"DÍAZ, \"\"EL NORTE\"\" LTDA.\",899999068,suspendida,AV 123456,pa,  ANA   SOFÍA ,,PEÑA,,Activo,b,Beneficiário\n\
                ,,,,,,,,,,,,\n";
    let report = bench.import(file).await.expect("readable");
    assert_eq!(report.changed, Some(changed(1, 0)), "{report:?}");
    assert_eq!(
        bench.people(),
        ["PA AV123456 PEÑA ANA SOFÍA ACTIVO B BENEFICIARIO 899999068 DÍAZ, \"EL NORTE\" LTDA. SUSPENDIDA"]
    );
}

#[tokio::test]
async fn a_second_file_updates_adds_and_leaves_the_others() {
    let bench = Bench::open().await;
    bench.import_lines(&[NUNEZ.trim(), "CE;123456;PÉREZ;;ANA;;ACTIVO;B;TRABAJADOR;;;"]).await;
    let report = bench
        .import_lines(&[
            "CC;1045678901;ÑÚÑEZ;;JOSÉ;;RETIRADO;C;TRABAJADOR;;;",
            "TI;1045678902;ÑÚÑEZ;;LUZ;;ACTIVO;A;BENEFICIARIO;899999068;PEÑA S.A.S.;SUSPENDIDA",
        ])
        .await;
    assert_eq!(report.changed, Some(changed(1, 1)));
    assert_eq!(
        bench.people(),
        [
            "CC 1045678901 ÑÚÑEZ JOSÉ RETIRADO C TRABAJADOR",
            "CE 123456 PÉREZ ANA ACTIVO B TRABAJADOR",
            "TI 1045678902 ÑÚÑEZ LUZ ACTIVO A BENEFICIARIO 899999068 PEÑA S.A.S. SUSPENDIDA",
        ]
    );
}

#[tokio::test]
async fn every_fault_is_named_with_its_line_and_column_and_nothing_changes() {
    let bench = Bench::open().await;
    bench.import_lines(&[NUNEZ.trim()]).await;
    let before = bench.people();
    let long = "X".repeat(81);
    let wrong = bench
        .wrong(&[
            "CC;1045678902;A;;B;;ACTIVO;A;TRABAJADOR;;;",
            "CX;1045678903;A;;B;;ACTIVOS;Z;PRIMO;;;",
            "CC;10456O8903;A;;B;;ACTIVO;A;TRABAJADOR;;;",
            "CC;12;A;;B;;ACTIVO;A;TRABAJADOR;;;",
            "CC;900123456-8;A;;B;;ACTIVO;A;TRABAJADOR;;;",
            ";;A;;;;ACTIVO;A;TRABAJADOR;;;",
            "CC;1045678904;A;;B;;ACTIVO;A;TRABAJADOR;899999068;;",
            "CC;1045678904;A;;B;;ACTIVO;A;TRABAJADOR;899999068-2;X;ACTIVA",
            "CC;1045678904;A;;B;;ACTIVO;A;TRABAJADOR;12;X;ACTIVA",
            &format!("CC;1045678904;{long};;B;;ACTIVO;A;TRABAJADOR;;;"),
            "CC;1045678904;A\u{1};;B;;ACTIVO;A;TRABAJADOR;;;",
            "CC;1045678904;A",
            "CC;1045678904;\"A;;B;;ACTIVO;A;TRABAJADOR;;;",
            "CC;1045678905;A;;B;;ACTIVO;A;TRABAJADOR;;;",
        ])
        .await;
    let status = Why::UnknownWord(vec!["ACTIVO", "INACTIVO", "SUSPENDIDO", "RETIRADO"]);
    let expected = [
        (3, Some(Column::Kind), Why::UnknownWord(vec!["CC", "CE", "TI", "RC", "PA", "PPT"])),
        (3, Some(Column::Status), status),
        (3, Some(Column::Tariff), Why::UnknownWord(vec!["A", "B", "C", "D"])),
        (3, Some(Column::Role), Why::UnknownWord(vec!["TRABAJADOR", "BENEFICIARIO"])),
        (4, Some(Column::Number), Why::Document(DocumentError::BadCharacter)),
        (5, Some(Column::Number), Why::Document(DocumentError::TooShort)),
        (6, Some(Column::Number), Why::Document(DocumentError::LooksLikeNit)),
        (7, Some(Column::Kind), Why::Empty),
        (7, Some(Column::FirstName), Why::Empty),
        (8, Some(Column::CompanyName), Why::CompanyIncomplete),
        (8, Some(Column::CompanyStatus), Why::CompanyIncomplete),
        (9, Some(Column::CompanyNit), Why::Nit(NitFault::CheckDigit)),
        (10, Some(Column::CompanyNit), Why::Nit(NitFault::Shape)),
        (11, Some(Column::FirstSurname), Why::TooLong(80)),
        (12, Some(Column::FirstSurname), Why::ControlCharacter),
        (13, None, Why::FieldCount { found: 3, expected: 12 }),
        (14, None, Why::OpenQuote),
    ];
    assert_eq!(wrong, expected);
    assert_eq!(bench.people(), before);
}

#[tokio::test]
async fn documents_and_companies_that_stand_twice_name_the_line_they_contradict() {
    let bench = Bench::open().await;
    bench.import_lines(&[NUNEZ.trim()]).await;
    let wrong = bench
        .wrong(&[
            "CC;1045678901;A;;B;;ACTIVO;A;TRABAJADOR;899999068;PEÑA;ACTIVA",
            "TI;1045678901;A;;B;;ACTIVO;A;BENEFICIARIO;899999068-1;PEÑA;ACTIVA",
            "CC;1.045.678.901;A;;B;;ACTIVO;A;TRABAJADOR;;;",
            "CC;1045678902;A;;B;;ACTIVO;A;TRABAJADOR;899999068;PEÑA;SUSPENDIDA",
            "CC;1045678903;A;;B;;ACTIVO;A;TRABAJADOR;899999068;PENA;ACTIVA",
            "CC;001045678901;A;;B;;ACTIVO;A;TRABAJADOR;;;",
        ])
        .await;
    let duplicate = Why::DuplicateDocument { first_line: 2 };
    let disagrees = Why::CompanyDisagrees { first_line: 2 };
    assert_eq!(
        wrong,
        [
            (4, Some(Column::Number), duplicate.clone()),
            (5, Some(Column::CompanyNit), disagrees.clone()),
            (6, Some(Column::CompanyNit), disagrees),
            (7, Some(Column::Number), duplicate),
        ]
    );
}

#[tokio::test]
async fn lines_in_another_encoding_than_the_file_are_named() {
    let bench = Bench::open().await;
    let line = |number: u64| format!("CC;{number};MUÑOZ;;ÓSCAR;;ACTIVO;A;TRABAJADOR;;;\n");
    let utf8 = |number| line(number).into_bytes();
    let mixed = |lines: [Vec<u8>; 3]| [HEADER.as_bytes().to_vec(), lines.concat()].concat();
    for (file, bad_line) in [
        (mixed([utf8(1001), latin1(&line(1002)), utf8(1003)]), 3),
        (mixed([latin1(&line(1001)), latin1(&line(1002)), utf8(1003)]), 4),
    ] {
        let report = bench.import(file).await.expect("readable");
        assert_eq!(report.bad, [BadLine { line: bad_line, column: None, why: Why::OtherEncoding }]);
        assert_eq!(report.changed, None);
    }
    assert!(bench.people().is_empty());
}

#[tokio::test]
async fn files_that_are_none_of_affiliates_say_what_they_lack() {
    let bench = Bench::open().await;
    let sentence = |bytes: Vec<u8>| {
        let bench = &bench;
        async move { bench.import(bytes).await.expect_err("refused").to_string() }
    };
    let utf16 = [vec![0xFF, 0xFE], HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    for (bytes, expected) in [
        (vec![], "El archivo está vacío: se espera una línea de encabezado y una línea por afiliado."),
        (
            b"\n\n".to_vec(),
            "El archivo está vacío: se espera una línea de encabezado y una línea por afiliado.",
        ),
        (utf16, "El archivo está en UTF-16. Guárdelo como CSV en UTF-8 o en Latin-1."),
        (
            HEADER.replace("estado;", "estados;").replace("tarifa", "precio").into_bytes(),
            "Faltan columnas en el encabezado: estado, tarifa.",
        ),
        (
            HEADER.replace("segundo_nombre", "Segundo Nombre;SEGUNDO_NOMBRE").into_bytes(),
            "El encabezado repite columnas: segundo_nombre.",
        ),
        (
            format!("\"{HEADER}").into_bytes(),
            "El encabezado (línea 1) no se puede leer: tiene comillas sin cerrar.",
        ),
    ] {
        assert_eq!(sentence(bytes).await, expected);
    }
    let missing = bench
        .app
        .import_affiliates(&bench.dir.path().join("nada.csv"), ImportHow::default(), None, unwatched())
        .await;
    assert!(matches!(missing, Err(ImportError::File(FileFault::Unreadable(_)))));
    let report = bench.import(HEADER).await.expect("readable");
    assert_eq!(report.changed, Some(changed(0, 0)), "nobody, but well written");
}

#[tokio::test]
async fn a_long_file_is_told_about_on_the_way_and_its_faults_are_all_counted() {
    let bench = Bench::open().await;
    let line = |number: u32| format!("CC;{number};GÓMEZ;;LUZ;;ACTIVO;A;TRABAJADOR;;;\n");
    let text: String = std::iter::once(HEADER.to_owned()).chain((10_000_000..10_050_000).map(line)).collect();
    let file = bench.dir.path().join("larga.csv");
    std::fs::write(&file, &text).expect("written");
    let told = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&told);
    let progress: Progress = Box::new(move |step| {
        assert_eq!(step.lines_total, 50_001);
        assert!(step.bytes > step.lines * 20, "{step:?}");
        count.store(step.lines, Ordering::SeqCst);
        ControlFlow::Continue(())
    });
    let report =
        bench.app.import_affiliates(&file, ImportHow::default(), None, progress).await.expect("readable");
    assert_eq!(report.changed, Some(changed(50_000, 0)));
    assert_eq!((told.load(Ordering::SeqCst), report.lines), (50_001, 50_001));

    let bad = text.replace("ACTIVO", "VIVO") + &"x".repeat(1_000_000) + "\n";
    let report = bench.import(bad).await.expect("readable");
    assert_eq!((report.bad.len(), report.bad_total), (BAD_LINES_MAX, 50_001));
    assert_eq!(bench.people().len(), 50_000);
}

#[tokio::test]
async fn all_that_is_wrong_stands_in_its_file_and_nobody_replaces_nobody() {
    let bench = Bench::open().await;
    let (file, rejected) = (bench.dir.path().join("afiliados.csv"), bench.dir.path().join("rechazadas.csv"));
    let import = async |text: String, how, to: Option<&Path>| {
        std::fs::write(&file, text).expect("written");
        bench.app.import_affiliates(&file, how, to.map(Path::to_owned), unwatched()).await
    };
    let (adding, replacing) = (ImportHow::default(), ImportHow { replaces: true, ..ImportHow::default() });
    let bad = "CC;12;GÓMEZ;;LUZ;;VIVO;A;TRABAJADOR;;;\n".repeat(300);
    let report = import(format!("{HEADER}{bad}"), adding, Some(&rejected)).await.expect("readable");
    assert_eq!((report.changed, report.stopped, report.bad_total), (None, false, 600));
    let said = std::fs::read_to_string(&rejected).expect("written");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines.len(), lines[0]), (601, "\u{feff}linea;columna;motivo"));
    assert_eq!(lines[599], r#"301;documento;"el número es demasiado corto para su tipo de documento""#);
    assert!(lines[600].starts_with(r#"301;estado;"no es ninguno de los valores permitidos (ACTIVO"#));

    let nowhere = bench.dir.path().join("no/existe.csv");
    let unwritten = import(format!("{HEADER}{NUNEZ}"), adding, Some(&nowhere)).await;
    assert!(matches!(unwritten, Err(ImportError::Rejected(_))));
    assert_eq!(bench.people().len(), 0, "nothing is imported whose faults could not be told");

    let report = import(format!("{HEADER}{NUNEZ}"), replacing, None).await.expect("readable");
    assert_eq!(report.changed, Some(changed(1, 0)));
    let emptied = import(HEADER.to_owned(), replacing, None).await;
    assert!(matches!(emptied, Err(ImportError::File(FileFault::NoPeople))));
    assert_eq!(bench.people().len(), 1);
}

#[tokio::test]
async fn an_import_can_be_stopped_until_it_is_kept() {
    let bench = Bench::open().await;
    let file = bench.dir.path().join("afiliados.csv");
    std::fs::write(&file, format!("{HEADER}{NUNEZ}")).expect("written");
    for last in [1, 2] {
        let mut asked = 0;
        let progress: Progress = Box::new(move |_| {
            asked += 1;
            if asked >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let report =
            bench.app.import_affiliates(&file, ImportHow::default(), None, progress).await.expect("readable");
        assert_eq!((report.changed, report.stopped), (None, true));
        assert_eq!(bench.people().len(), 0);
    }
    assert_eq!(bench.import_lines(&[NUNEZ]).await.changed, Some(changed(1, 0)));
}

#[tokio::test]
async fn replacing_everybody_forgets_companies_nobody_works_for() {
    let bench = Bench::open().await;
    let companies = || {
        let db = rusqlite::Connection::open(bench.dir.path().join("hanna.sqlite")).expect("the database");
        db.query_row("SELECT count(*) FROM companies", [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    let import = async |line: &str, replaces| {
        let file = bench.dir.path().join("afiliados.csv");
        std::fs::write(&file, format!("{HEADER}{line}")).expect("written");
        let how = ImportHow { replaces, ..ImportHow::default() };
        let report = bench.app.import_affiliates(&file, how, None, unwatched()).await.expect("readable");
        assert!(report.changed.is_some(), "{report:?}");
        companies()
    };
    let alone = "CC;1045678901;NUNEZ;;JOSE;;ACTIVO;A;TRABAJADOR;;;\n";
    assert_eq!(import(NUNEZ, false).await, 1);
    assert_eq!(import(alone, false).await, 1, "nobody works there, but the file does not say what there is");
    assert_eq!(import(NUNEZ, true).await, 1);
    assert_eq!(import(alone, true).await, 0);
}

#[test]
fn sentences_never_repeat_a_value() {
    let bad = BadLine { line: 12, column: Some(Column::Number), why: Why::Document(DocumentError::TooShort) };
    assert_eq!(
        bad.to_string(),
        "Línea 12, columna documento: el número es demasiado corto para su tipo de documento."
    );
    let bad = BadLine { line: 7, column: None, why: Why::FieldCount { found: 3, expected: 12 } };
    assert_eq!(bad.to_string(), "Línea 7: tiene 3 campos y el encabezado tiene 12.");
}
