//! Offline lookup: from the command to the card, the signature verified each time, against a plain SQLite point select of
//! the same rows plus one bare Ed25519 verification.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::{Document, DocumentKind, Verdict};
use rusqlite::Connection;
use uuid::Uuid;

use crate::figures::{Figures, Outcome};
use crate::stage::{Stage, tick};

const ROUNDS: u32 = 10_000;

pub async fn measure(stage: &Stage) -> Outcome {
    let plain = plain_copy(stage);
    stage.warm_up();
    let key = UnparsedPublicKey::new(&ED25519, stage.server.public.clone());
    let (mut ours, mut selects, mut verifications) =
        (Figures::default(), Figures::default(), Figures::default());
    for round in 0..ROUNDS {
        let number = stage.shuffled(round);

        stage.next_person().await;
        let begin = tick();
        let card = stage.desk.lookup(DocumentKind::CC, &number).await.expect("a card");
        ours.add(begin.elapsed());
        assert_eq!(card.verdict, Verdict::ActiveFromCopy);

        stage.next_person().await;
        let begin = tick();
        let jws: String = plain
            .prepare_cached("SELECT jws FROM statement WHERE document_number = ?1")
            .and_then(|mut select| select.query_row([&number], |row| row.get(0)))
            .expect("a row");
        selects.add(begin.elapsed());

        let (message, signature) = jws.rsplit_once('.').expect("a JWS");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let begin = tick();
        key.verify(message.as_bytes(), &signature).expect("genuine");
        verifications.add(begin.elapsed());
    }
    Outcome {
        what: "offline lookup, command to card",
        ours,
        reference: "plain SQLite select + one Ed25519 verification",
        reference_median: selects.median() + verifications.median(),
        ratio_max: 1.5,
        p99_max: Some(2_000.0),
    }
}

/// The same people and statements in a database without encryption.
fn plain_copy(stage: &Stage) -> Connection {
    let mut plain = Connection::open(stage.folder.path().join("plain.sqlite")).expect("a database");
    plain
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE statement (document_number TEXT NOT NULL UNIQUE, jws TEXT NOT NULL) STRICT;",
        )
        .expect("a table");
    let transaction = plain.transaction().expect("begun");
    for n in 0..stage.people {
        let number = stage.shuffled(n);
        let document = Document::parse(DocumentKind::CC, &number).expect("a cédula");
        let jws = stage.server.statement(document, Uuid::from_u128(u128::from(n)));
        transaction.execute("INSERT INTO statement VALUES (?1, ?2)", (number, jws)).expect("a row");
    }
    transaction.commit().expect("done");
    plain
}
