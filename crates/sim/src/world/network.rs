//! What lies between tills, gateway and receivers: it loses, repeats, delays and re-orders.

use spotpay_client::{HttpAnswer, TransportFailure};
use spotpay_server::notifier::courier::Heard;

use super::house::Letter;
use super::mood::happens;
use super::{Event, MILLIS, Message, SECONDS, World};

/// How long a till waits for an answer.
const PATIENCE: i64 = 10 * SECONDS;

impl World {
    /// How long something is on its way.
    fn way(&mut self) -> i64 {
        let usual = self.rng.i64(MILLIS..80 * MILLIS);
        if !happens(&mut self.rng, self.mood.delay) {
            return usual;
        }
        let most = if self.rng.bool() { 15 } else { 400 };
        self.rng.i64(SECONDS..most * SECONDS)
    }

    /// A call leaves its till: no copy arrives, or one, or several, each in its own time.
    pub(super) fn post(&mut self, mut message: Message) {
        let gave_up = TransportFailure::maybe("timed out");
        self.after(
            PATIENCE,
            Event::Return(message.till, message.number, Err(gave_up)),
        );
        if happens(&mut self.rng, self.mood.lose) {
            self.note(format!(
                "call {} of till {} is lost",
                message.number, message.till
            ));
            return;
        }
        while happens(&mut self.rng, self.mood.repeat) {
            message.is_repeated = true;
            let way = self.way();
            self.after(way, Event::Arrive(message.clone()));
        }
        let way = self.way();
        self.after(way, Event::Arrive(message));
    }

    /// An answer leaves the gateway.
    pub(super) fn answer(
        &mut self,
        message: &Message,
        answer: Result<HttpAnswer, TransportFailure>,
    ) {
        if happens(&mut self.rng, self.mood.lose) {
            self.note(format!(
                "the answer to {} of till {} is lost",
                message.number, message.till
            ));
            return;
        }
        let way = self.way();
        self.after(way, Event::Return(message.till, message.number, answer));
    }

    /// Letters that the gateway sent begin their way.
    pub(super) fn collect_letters(&mut self) {
        let Some(house) = &self.house else { return };
        let letters: Vec<Letter> = house
            .outbox
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .drain(..)
            .collect();
        for letter in letters {
            if happens(&mut self.rng, self.mood.lose) {
                self.after(PATIENCE, Event::Heard(letter, Err("timed out".to_owned())));
            } else {
                let way = self.way();
                self.after(way, Event::Post(letter));
            }
        }
    }

    /// A receiver reads a letter with the real SDK. One that it cannot believe is a failure: nobody
    /// forges in this world.
    pub(super) fn deliver(&mut self, letter: Letter) -> Result<(), String> {
        let partner = letter.url.rsplit('/').next().unwrap_or_default();
        let place: usize = partner.parse().unwrap_or(0);
        let Some(receiver) = self.receivers.get(place) else {
            return Ok(());
        };
        let handled = receiver.handle(letter.form.as_bytes());
        if let Some(event) = &handled.event {
            self.tally.letters += 1;
            self.trace
                .note(format!("receiver {place} believes {event:?}"));
        }
        if let Some(refusal) = &handled.refusal {
            return Err(format!(
                "a receiver does not believe {:?}: {refusal:?}",
                letter.form
            ));
        }
        let is_deaf = happens(&mut self.rng, self.mood.deaf);
        let heard = if is_deaf {
            Heard {
                status: 500,
                body: Vec::new(),
            }
        } else {
            Heard {
                status: 200,
                body: handled.reply.as_bytes().to_vec(),
            }
        };
        let is_lost = happens(&mut self.rng, self.mood.lose);
        let way = self.way();
        if is_lost || PATIENCE < way {
            self.after(PATIENCE, Event::Heard(letter, Err("timed out".to_owned())));
        } else {
            self.after(way, Event::Heard(letter, Ok(heard)));
        }
        Ok(())
    }
}
