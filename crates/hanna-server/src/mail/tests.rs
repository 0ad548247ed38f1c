use std::os::unix::fs::PermissionsExt;

use hanna_domain::Redacted;
use hanna_wire::path;
use serde_json::json;
use tokio::net::TcpListener;

use super::MailConfig;
use crate::app::{Config, Database};
use crate::testing::Bench;

#[test]
fn every_kind_has_its_word() {
    for kind in super::MailKind::ALL {
        assert_eq!(super::MailKind::from_code(kind.code()), Some(kind));
    }
}

#[tokio::test]
async fn without_a_mail_server_mails_are_files_that_only_their_owner_reads() {
    let bench = Bench::open().await;
    bench.post(path::PASSWORD_FORGOT, &json!({ "email": "ana.rodriguez@gymcaribe.co" })).await;
    bench.app.deliver_mail().await.expect("delivered");
    let folder = bench.dir().join("mail");
    assert_eq!(std::fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&folder).expect("listed").map(|entry| entry.expect("an entry")).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().expect("there").permissions().mode() & 0o777, 0o600);
    let mail = std::fs::read_to_string(files[0].path()).expect("read");
    for header in [
        "To: ana.rodriguez@gymcaribe.co\r\n",
        "From: \"Hanna Convenios\" <hanna@localhost>\r\n",
        "Date: Sun, 22 Nov 2026 15:00:00 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(mail.contains(header), "{header}: {mail}");
    }
    let id = files[0].path().file_stem().expect("a name").to_string_lossy().into_owned();
    assert!(mail.contains(&format!("Message-ID: <{id}@localhost>")));
    bench.app.deliver_mail().await.expect("delivered");
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), 1, "once");
}

#[tokio::test]
async fn a_mail_waits_in_the_queue_while_the_mail_server_is_down() {
    let bench = Bench::open().await;
    // A port nobody listens on any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    bench.post(path::PASSWORD_FORGOT, &json!({ "email": "ana.rodriguez@gymcaribe.co" })).await;
    let mut config = Config::new(Database::Sqlite(bench.dir().join("hanna.sqlite")));
    config.mail =
        MailConfig { smtp: Some(Redacted::new(url)), from: Some("h@caja.co".into()), ..config.mail };
    let down = bench.another_with(config).await;
    down.deliver_mail().await.expect("tried");
    let queue = |bench: &Bench| {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?));
        bench.sql().query_row("SELECT attempts, next_us FROM mails", [], row).expect("one mail")
    };
    assert_eq!(queue(&bench), (1, bench.clock.at().as_microsecond() + 5_000_000));
    assert_eq!(bench.mails().await.len(), 0, "not before its time");
    bench.clock.forward(jiff::Span::new().seconds(5));
    assert_eq!(bench.mails().await.len(), 1, "another way was found");
}
