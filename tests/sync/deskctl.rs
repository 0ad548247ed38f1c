//! `hanna-deskctl`: the real program against the real server.

use std::process::Command;

use hanna_testkit::clock::HandClock;
use hanna_testkit::server::TestServer;
use hanna_tests::programs::program;
use hanna_tests::terminal::Terminal;
use jiff::Timestamp;

/// A server whose clock agrees with the program's, which is the system's.
async fn server() -> TestServer {
    #[expect(clippy::disallowed_methods, reason = "the program under test lives in the system's time")]
    let now = Timestamp::now();
    TestServer::start(&HandClock::at(now)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_from_a_terminal_online_offline_and_back() {
    let mut server = server().await;
    let folder = tempfile::tempdir().expect("a folder");
    let account = server.demo.accounts[0].clone();
    let people = server.demo.documents.clone();
    let sign_in = format!("sign-in {} {}", account.username, account.password);

    let mut desk = Terminal::start(&server.url(), folder.path());
    assert_eq!(desk.refusal("lookup CC 1045678901"), "NOT_SIGNED_IN");
    assert_eq!(desk.refusal("sign-in nadie@example.co una-clave-mala"), "WRONG_CREDENTIALS");
    desk.get(&sign_in);
    assert_eq!(desk.refusal("branch NO-HAY"), "BRANCH_NOT_ALLOWED");
    desk.get(&format!("branch {}", account.branches[0]));
    let card = desk.get(&format!("lookup CC {}", people.active[0]));
    assert_eq!((card["verdict"].as_str(), card["source"].as_str()), (Some("ACTIVE"), Some("online")));
    assert!(card["affiliate"]["first_surname"].is_string() && card["statement_id"].is_string());
    let report = desk.get("report");
    assert!(report["id"].is_string() && report["state"].is_string());
    assert_eq!(desk.refusal("report"), "ALREADY_REPORTED");
    let refused = desk.get(&format!("lookup CC {}", people.company_suspended[0]));
    assert_eq!(refused["verdict"], "NOT_ACTIVE");
    assert_eq!(refused["reasons"][0], "COMPANY_SUSPENDED");
    assert_eq!(desk.refusal("report"), "NOT_REPORTABLE");
    desk.get(&format!("lookup CC {}", people.active[1]));
    assert_eq!(desk.get("sync")["pending"], 0);

    server.stop().await;
    let copy = desk.get(&format!("lookup CC {}", people.active[1]));
    assert_eq!((copy["verdict"].as_str(), copy["source"].as_str()), (Some("ACTIVE_FROM_COPY"), Some("copy")));
    let offline = desk.get("report")["id"].clone();
    let nobody = desk.get(&format!("lookup CC {}", people.active[2]));
    assert_eq!(nobody["verdict"], "NO_DATA");
    let items = desk.get("outbox");
    assert_eq!(items["items"][0]["id"], offline);
    assert_eq!(items["items"][0]["kind"], "usage_report");
    assert!(desk.end(), "exit 0 when every line was read");

    // The program starts anew, still offline: the password opens what was recorded.
    let mut desk = Terminal::start(&server.url(), folder.path());
    desk.get(&sign_in);
    assert_eq!(desk.get("status")["pending"], 1);
    server.resume();
    desk.get("sync");
    desk.get(&sign_in);
    let status = desk.get("sync");
    assert_eq!((status["online"].as_bool(), status["pending"].as_u64()), (Some(true), Some(0)));
    assert_eq!(desk.get("outbox")["items"].as_array().map(Vec::len), Some(0));
    let day = hanna_domain::colombia::day_of(server.clock.read());
    let history = desk.get(&format!("history {day} {day}"));
    // In no order: the server's clock stands still here, and so do its times.
    let mut numbers: Vec<&str> = history["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["document_number"].as_str())
        .collect();
    numbers.sort_unstable();
    let mut expected = [people.active[0].as_str(), people.active[1].as_str()];
    expected.sort_unstable();
    assert_eq!(numbers, expected);

    let pdf = folder.path().join("reporte con espacios.pdf");
    let saved = desk.get(&format!("report-pdf {day} {day} {}", pdf.display()));
    assert_eq!(saved["rows"], 2);
    assert!(std::fs::read(&pdf).expect("the file").starts_with(b"%PDF-"));
    desk.get("sign-out");
    assert!(desk.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_answered_and_the_next_ones_still_work() {
    let server = server().await;
    let folder = tempfile::tempdir().expect("a folder");
    let account = &server.demo.accounts[0];
    let mut desk = Terminal::start(&server.url(), folder.path());
    desk.get(&format!("sign-in {} {}", account.username, account.password));
    desk.get(&format!("branch {}", account.branches[0]));
    for (line, code) in [
        ("baila", "BAD_COMMAND"),
        ("sign-in", "BAD_COMMAND"),
        ("lookup", "BAD_COMMAND"),
        ("lookup XX 123", "BAD_COMMAND"),
        ("lookup CC", "DOCUMENT_EMPTY"),
        ("lookup CC 10456789O1", "DOCUMENT_BAD_CHARACTER"),
        ("lookup CC 123456789012", "DOCUMENT_TOO_LONG"),
        ("lookup CC 900123456-7", "DOCUMENT_LOOKS_LIKE_NIT"),
        ("report", "LOOKUP_GONE"),
        ("history ayer hoy", "RANGE_INVALID"),
        ("history 2026-11-22 2026-11-01", "RANGE_INVALID"),
        ("report-pdf 2026-11-01 2026-11-02", "BAD_COMMAND"),
        ("report-pdf 2026-11-01 2026-11-02 /no/such/folder/x.pdf", "FILE_FAILED"),
    ] {
        assert_eq!(desk.refusal(line), code, "{line}");
    }
    let number = &server.demo.documents.active[0];
    let dotted = format!("{}.{} ", &number[..1], &number[1..]);
    assert_eq!(desk.get(&format!("lookup cc  {dotted}"))["verdict"], "ACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_report_and_loses_nothing() {
    let server = server().await;
    let control = tempfile::tempdir().expect("a folder");
    let mount = control.path().join("disk");
    std::fs::create_dir(&mount).expect("a mount point");
    // A disk of four megabytes in a mount namespace of its own; it is filled and emptied when told to.
    let script = r#"
        set -e
        mount -t tmpfs -o size=4m none "$1"
        mkfifo "$2/tell" "$2/told"
        # A shell gives what runs in the background no input, unless it is passed on by another number.
        exec 3<&0
        "$3" --vault memory --server "$4" --data-dir "$1/desk" <&3 &
        desk=$!
        read -r order < "$2/tell"
        dd if=/dev/zero of="$1/ballast" bs=4k 2>/dev/null || true
        echo full > "$2/told"
        read -r order < "$2/tell"
        rm "$1/ballast"
        echo free > "$2/told"
        wait $desk
    "#;
    // Who is root already needs no user namespace, which is refused inside a chroot.
    let become_root = r#"test "$(id -u)" = 0 && exec unshare --mount "$@" || exec unshare --user --map-root-user --mount "$@""#;
    let mut unshare = Command::new("sh");
    unshare.args(["-c", become_root, "unshare", "sh", "-c", script, "disk"]);
    unshare.arg(&mount).arg(control.path()).arg(program("hanna-deskctl")).arg(server.url());
    let mut desk = Terminal::run(unshare);
    let account = &server.demo.accounts[0];
    desk.get(&format!("sign-in {} {}", account.username, account.password));
    desk.get(&format!("branch {}", account.branches[0]));
    let tell = |order: &str| {
        std::fs::write(control.path().join("tell"), format!("{order}\n")).expect("told");
        std::fs::read_to_string(control.path().join("told")).expect("done")
    };
    let number = &server.demo.documents.active[0];
    desk.get(&format!("lookup CC {number}"));
    assert_eq!(tell("fill").trim(), "full");
    assert_eq!(desk.refusal("report"), "DISK_FULL");
    let card = desk.get(&format!("lookup CC {number}"));
    assert_eq!(card["verdict"], "ACTIVE", "consulting goes on");
    assert_eq!(tell("free").trim(), "free");
    assert!(desk.get("report")["id"].is_string());
    assert_eq!(desk.get("sync")["pending"], 0);
    assert!(desk.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_exported_from_a_terminal_and_what_was_set_aside_brought_back() {
    let mut server = server().await;
    let folder = tempfile::tempdir().expect("a folder");
    let account = server.demo.accounts[0].clone();
    let number = server.demo.documents.active[0].clone();
    let mut desk = Terminal::start(&server.url(), folder.path());
    let file = folder.path().join("pendientes de hoy.hanna");
    let export = format!("export-outbox {}", file.display());
    assert_eq!(desk.refusal(&export), "NOT_SIGNED_IN");
    let sign_in = format!("sign-in {} {}", account.username, account.password);
    desk.get(&sign_in);
    desk.get(&format!("branch {}", account.branches[0]));
    assert_eq!(desk.refusal(&export), "NOTHING_TO_EXPORT");
    assert_eq!(desk.refusal("export-outbox"), "BAD_COMMAND");
    desk.get(&format!("lookup CC {number}"));
    server.stop().await;
    desk.get("report");
    let exported = desk.get(&export);
    assert_eq!((exported["items"].as_u64(), exported["lookups"].as_u64()), (Some(1), Some(0)));
    assert_eq!(server.app().import_outbox(&file).await.expect("imported").accepted, 1);
    assert!(desk.end());

    let outbox = folder.path().join("outbox.sqlite");
    let aside = folder.path().join("outbox.sqlite.apartado-a-mano");
    std::fs::rename(&outbox, &aside).expect("set aside");
    server.resume();
    let mut desk = Terminal::start(&server.url(), folder.path());
    desk.get(&sign_in);
    assert_eq!(desk.get("status")["pending"], 0);
    assert_eq!(desk.refusal("import-set-aside /no/hay"), "SET_ASIDE_UNREADABLE");
    assert_eq!(desk.refusal(&format!("import-set-aside {}", file.display())), "SET_ASIDE_UNREADABLE");
    let recovered = desk.get(&format!("import-set-aside {}", aside.display()));
    assert_eq!((recovered["added"].as_u64(), recovered["is_damaged"].as_bool()), (Some(1), Some(false)));
    assert!(!aside.exists() && folder.path().join("outbox.sqlite.recuperado-a-mano").exists());
    assert_eq!(desk.get("import-set-aside")["added"], 0);
    let status = desk.get("sync");
    assert_eq!((status["pending"].as_u64(), status["needs_attention"].as_u64()), (Some(0), Some(0)));
    let day = hanna_domain::colombia::day_of(server.clock.read());
    assert_eq!(desk.get(&format!("history {day} {day}"))["rows"].as_array().map(Vec::len), Some(1));
}
