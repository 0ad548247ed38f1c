//! People who come often are verified again before their copies end.

use hanna_domain::Verdict;
use jiff::SignedDuration;

use crate::Story;

#[tokio::test]
async fn a_regulars_copy_outlives_its_first_statement() {
    let mut story = Story::begin().await;
    for n in 0..3 {
        story.desk.ask(story.active(n)).await;
    }
    assert_eq!(story.desk.refresh_regulars().await.expect("asked"), 0, "the copies are fresh");
    let until = story.desk.status().expect("status").copies_until.expect("copies");
    story.clock.advance(SignedDuration::from_hours(14));
    assert_eq!(story.desk.refresh_regulars().await.expect("asked"), 3);
    assert_eq!(story.desk.refresh_regulars().await.expect("asked"), 0, "once is enough");
    let later = story.desk.status().expect("status").copies_until.expect("copies");
    assert_eq!(later.duration_since(until), SignedDuration::from_hours(14));

    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(12));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!(card.verdict, Verdict::ActiveFromCopy, "a day and two hours after the visit");
    story.clock.advance(SignedDuration::from_hours(12));
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::NoData);
}

#[tokio::test]
async fn who_was_long_not_there_is_not_asked_about() {
    let story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    story.clock.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(story.desk.refresh_regulars().await.expect("asked"), 0);
}
