//! `hanna_report::printing` on a real spooler: a report goes to a CUPS-PDF printer and arrives there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hanna_report::convenio::{ConvenioReport, render};
use hanna_report::printing::{PrintError, PrintState, Printer, Spooler};
use hanna_testkit::cups::{Cups, PRINTER};
use jiff::civil::{date, datetime};
use tempfile::TempDir;

fn cups() -> (Cups, Spooler) {
    let cups = Cups::start().expect("a spooler of the test's own");
    let spooler = Spooler { wait: Duration::from_mins(1), ..Spooler::at(cups.server()) };
    (cups, spooler)
}

fn report(folder: &TempDir) -> PathBuf {
    let report = ConvenioReport {
        entity_name: "GIMNASIO CAÑAVERAL".to_owned(),
        entity_nit: "900.123.456-7".to_owned(),
        branch_name: None,
        from: date(2026, 11, 1),
        to: date(2026, 11, 22),
        generated_at: datetime(2026, 11, 22, 18, 5, 9, 0),
        generated_by: "Ana Rodríguez".to_owned(),
        complete: true,
        verifiable: None,
        rows: Vec::new(),
        totals: Vec::new(),
    };
    let path = folder.path().join("Reporte de Convenio.pdf");
    fs::write(&path, render(&report).expect("a report").bytes).expect("room on the disk");
    path
}

fn printed(cups: &Cups) -> Vec<PathBuf> {
    let entries = fs::read_dir(cups.printed()).expect("something was printed");
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

fn text(pdf: &Path) -> String {
    let said = Command::new("pdftotext").args(["-layout".as_ref(), pdf.as_os_str(), "-".as_ref()]).output();
    let said = said.expect("pdftotext: `cargo xtask test` installs it (Debian: poppler-utils)");
    String::from_utf8(said.stdout).expect("UTF-8")
}

#[test]
fn a_report_is_printed_and_the_page_arrives() {
    let (cups, spooler) = cups();
    let folder = TempDir::new().expect("a folder");
    let pdf = report(&folder);

    assert_eq!(spooler.list().expect("printers"), [Printer { name: PRINTER.to_owned(), is_default: false }]);
    let job = spooler.print(&pdf, PRINTER, "Reporte de Convenio").expect("a job");
    assert_eq!((job.job.as_str(), job.state), ("PDF-1", PrintState::Done));

    let [page] = &printed(&cups)[..] else { panic!("one file for one job: {:?}", printed(&cups)) };
    let text = text(page);
    assert!(text.contains("GIMNASIO CAÑAVERAL"), "{text}");
    assert!(text.contains("No hay usos reportados entre el 01/11/2026 y el 22/11/2026"), "{text}");
}

#[test]
fn the_default_printer_is_known_as_such() {
    let (cups, spooler) = cups();
    let made = cups.program("/usr/sbin/lpadmin").args(["-d", PRINTER]).status().expect("lpadmin");
    assert!(made.success());
    assert_eq!(spooler.list().expect("printers"), [Printer { name: PRINTER.to_owned(), is_default: true }]);
}

#[test]
fn a_job_on_a_stopped_printer_waits_in_the_queue_and_a_cancelled_one_failed() {
    let (cups, mut spooler) = cups();
    let folder = TempDir::new().expect("a folder");
    let pdf = report(&folder);
    let stopped = cups.program("/usr/sbin/cupsdisable").arg(PRINTER).status().expect("cupsdisable");
    assert!(stopped.success());

    spooler.wait = Duration::ZERO;
    let waiting = spooler.print(&pdf, PRINTER, "Reporte de Convenio").expect("a job");
    assert_eq!(waiting.state, PrintState::Queued);

    // Cancels the next job as soon as it is there.
    spooler.wait = Duration::from_mins(1);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| spooler.print(&pdf, PRINTER, "Reporte de Convenio"));
        let cancel = || cups.program("cancel").arg("PDF-2").output().expect("cancel").status.success();
        while !next.is_finished() && !cancel() {}
        let cancelled = next.join().expect("no panic").expect("a job");
        assert_eq!((cancelled.job.as_str(), cancelled.state), ("PDF-2", PrintState::Failed));
    });
}

#[test]
fn what_is_no_pdf_is_taken_and_fails() {
    let (_cups, spooler) = cups();
    let folder = TempDir::new().expect("a folder");
    let broken = folder.path().join("-roto.pdf");
    fs::write(&broken, "%PDF-1.5\nthis is not one").expect("room on the disk");
    let job = spooler.print(&broken, PRINTER, "-t").expect("a job");
    assert_eq!(job.state, PrintState::Failed);
}

#[test]
fn what_cannot_be_printed_says_why() {
    let (cups, spooler) = cups();
    let folder = TempDir::new().expect("a folder");
    let pdf = report(&folder);

    for name in ["Caja", "", "PDF; true", "-h"] {
        let error = spooler.print(&pdf, name, "Reporte").expect_err("no such printer");
        assert!(matches!(error, PrintError::PrinterNotFound(_)), "{error:?}");
    }
    let error = spooler.print(&folder.path().join("nada.pdf"), PRINTER, "Reporte").expect_err("no file");
    assert!(matches!(error, PrintError::Unreadable(_)), "{error:?}");

    let closed = cups.program("/usr/sbin/cupsreject").arg(PRINTER).status().expect("cupsreject");
    assert!(closed.success());
    let error = spooler.print(&pdf, PRINTER, "Reporte").expect_err("a printer that takes nothing");
    assert!(matches!(&error, PrintError::Refused(said) if said.contains("not accepting jobs")), "{error:?}");
}

#[test]
fn a_spooler_that_does_not_run_is_not_one_without_printers() {
    let folder = TempDir::new().expect("a folder");
    let spooler = Spooler::at(folder.path().join("nobody-listens").to_string_lossy());
    assert!(matches!(spooler.list(), Err(PrintError::NotRunning)));
    let error = spooler.print(&report(&folder), PRINTER, "Reporte").expect_err("nobody prints");
    assert!(matches!(error, PrintError::NotRunning), "{error:?}");
}

#[test]
fn a_private_spooler_leaves_nothing_behind() {
    let (cups, _) = cups();
    let (server, folder) = (cups.server(), cups.printed().parent().expect("a folder").to_owned());
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let settings = PathBuf::from(format!("/etc/cups/cups-pdf-{name}.conf"));
    assert!(settings.exists());
    drop(cups);
    assert!(!folder.exists() && !settings.exists());
    assert!(matches!(Spooler::at(server).list(), Err(PrintError::NotRunning)));
}
