//! Whether the server answers: the truth is the last call, whatever stands in the server's place.

use hanna_domain::{Cause, Verdict};
use hanna_testkit::impostor::Impostor;

use crate::Story;

#[tokio::test]
async fn a_captive_portal_is_not_the_server_and_asking_again_finds_the_real_one_at_once() {
    let mut story = Story::begin().await;
    let person = story.active(0).to_owned();
    story.desk.ask(&person).await;
    story.server.stop().await;
    let card = story.desk.ask(&person).await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    for (status, media_type, body) in [
        (200, "text/html", "<html>Bienvenido al wifi: acepte las condiciones</html>"),
        (302, "text/html", ""),
        (200, "application/json", "{}"),
        (200, "application/json", "{\"status\":\"ok\"}"),
        (511, "text/html", "<html>Network Authentication Required</html>"),
    ] {
        let portal = Impostor::in_place_of(&story.server, status, media_type, body).await;
        let said = story.desk.sync_now().await.expect("asked");
        let cause = if status < 500 { Cause::Unreadable } else { Cause::ServerFailed };
        assert_eq!((said.online, said.cause), (false, Some(cause)), "{status} {body}");
        assert_eq!(said.pending, 1, "nothing is delivered to a portal");
        assert_eq!(story.desk.ask(&person).await.verdict, Verdict::ActiveFromCopy, "{status} {body}");
        portal.leave().await;
    }
    story.server.resume();
    let said = story.desk.sync_now().await.expect("asked");
    assert_eq!((said.online, said.cause, said.pending), (true, None, 0));
}

#[tokio::test]
async fn a_line_that_takes_everything_and_says_nothing_is_no_connection() {
    let mut story = Story::begin().await;
    assert!(story.desk.sync_now().await.expect("asked").online);
    story.server.stop().await;
    let vpn = Impostor::silent_in_place_of(&story.server).await;
    let said = story.desk.sync_now().await.expect("asked");
    assert_eq!((said.online, said.cause), (false, Some(Cause::TimedOut)));
    vpn.leave().await;
}
