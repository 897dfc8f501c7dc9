//! What is noted of sendings, whatever shares their batch.

use spotpay_core::notification::Delivery;

use super::*;

// Goal: a sending is noted with the next one as it was due then, also when the same batch notes
// another sending or sends once more by hand.
#[test]
fn a_sending_keeps_what_was_decided_of_it() {
    let mut house = House::new();
    let mut pay = house.pay("T1", "alice", 100);
    if let Command::Pay(pay) = &mut pay {
        pay.notify_url = Some("http://127.0.0.1/n".into());
    }
    house.run(pay).unwrap();
    let store = SqliteStore::open(house.folder.path()).unwrap();
    let reader = store.reader().unwrap();
    let id = reader.notifications(None, 1).unwrap()[0].id;
    let (minute, start) = (Span::minutes(1), house.clock.now());
    let sent = |at| {
        Command::NoteDelivery(Delivery {
            notification: id,
            at,
            status: Some(500),
            body: "fail".into(),
            acknowledged: false,
        })
    };
    let by_hand = Command::Reschedule {
        notification: id,
        at: start.plus(minute),
    };
    house.run_all(vec![sent(start), sent(start.plus(minute)), by_hand]);
    let noted = reader.deliveries(id).unwrap();
    let next: Vec<Span> = noted
        .iter()
        .map(|row| row.next_at.unwrap().since(row.at))
        .collect();
    assert_eq!(next, [Span::minutes(2), Span::minutes(10)]);
    let waiting = reader.notification(id).unwrap().unwrap();
    assert_eq!(waiting.next_at, Some(start.plus(minute)));
}
