//! A world from a seed: tills, buyers and receivers around the gateway, on a network that loses,
//! repeats, delays and re-orders, and on a disk that fails. One thread, one event at a time.
//!
//! First it is noisy, and only safety counts: nothing answered is lost, nothing is done twice, the
//! books always balance. Then it is quiet, and within a bounded number of steps everything has to
//! settle, and every till to believe what the gateway's rows say.

mod clock;
mod house;
mod mood;
mod network;
mod panics;
mod people;
mod promises;
mod till;
mod trace;
mod troubles;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use spotpay_client::notify::{Handler, MemorySeen};
use spotpay_client::{Call, HttpAnswer, TransportFailure};
use spotpay_core::command::{BuyerAnswer, Command, Confirm};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::TradeKey;
use spotpay_disk::Disk;

use crate::books::Books;
use crate::canary::Canary;
use clock::WorldClock;
use house::{Birth, Done, House, Letter, Task};
use mood::Mood;
use people::{Phone, TILLS, settings};
use promises::{Promises, misbeliefs};
use till::{Act, Till};
use trace::Trace;

/// Steps of the quiet phase in which all must be settled.
const QUIET_STEPS_MAX: u64 = 60_000;
/// Steps between two looks at the whole file.
const STEPS_BETWEEN_LOOKS: u64 = 400;
const MILLIS: i64 = 1_000;
const SECONDS: i64 = 1_000_000;
const HOURS: i64 = 3_600 * SECONDS;

/// How a world is played.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// What everything follows from.
    pub seed: u64,
    /// Steps of the noisy phase.
    pub steps: u64,
    /// A broken gateway instead of the real one.
    pub canary: Option<Canary>,
}

/// What a world that held came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Steps, quiet ones included.
    pub steps: u64,
    /// Deaths of the gateway, power cuts included.
    pub deaths: u64,
    /// Power cuts among them.
    pub power_cuts: u64,
    /// Faults of the disk.
    pub disk_faults: u64,
    /// Commits that failed and may have happened.
    pub doubts: u64,
    /// Answers that promised something.
    pub answers: u64,
    /// Notifications that a receiver believed.
    pub letters: u64,
    /// Trades in the store.
    pub trades: usize,
    /// Cancels in the store that came before their payment.
    pub cancels_first: usize,
    /// Refunds in the store.
    pub refunds: usize,
    /// Settlement batches.
    pub batches: usize,
    /// Published files.
    pub files: usize,
    /// Over the trace and the disk: the same seed has the same everywhere.
    pub hash: u64,
}

/// A world in which something was wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The step.
    pub step: u64,
    /// What is wrong.
    pub reason: String,
    /// The lines of the trace that have to do with it, and the last ones.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "seed {} failed at step {}: {}",
            self.seed, self.step, self.reason
        )
    }
}

impl std::error::Error for Failure {}

/// A call on its way to the gateway.
#[derive(Clone)]
struct Message {
    till: usize,
    number: u64,
    call: Call,
    url: String,
    body: String,
    /// The network repeats it, so a copy that meets a dead gateway says nothing about the others.
    is_repeated: bool,
}

/// What happens at an instant.
enum Event {
    /// A till goes on, if it was not woken for another instant since.
    Wake(usize, i64),
    /// A call reaches the gateway.
    Arrive(Message),
    /// An answer, or the lack of one, reaches its till.
    Return(usize, u64, Result<HttpAnswer, TransportFailure>),
    /// A task of the living process is polled.
    Poll(u64),
    /// The engine has its round, if that was not moved since.
    Round(i64),
    /// A slice of what waits behind the commits.
    Tend,
    /// The WAL is moved.
    MovePages,
    /// What is due is looked for, notifications and daily jobs, if that was not moved since.
    Look(i64),
    /// A notification reaches its receiver.
    Post(Letter),
    /// A receiver's answer gets back, or nothing does.
    Heard(
        Letter,
        Result<spotpay_server::notifier::courier::Heard, String>,
    ),
    /// A buyer looks at the phone.
    Confirm(Confirm),
    /// Something goes wrong.
    Trouble,
    /// The gateway's process starts.
    Start,
}

/// A request whose answer is not out yet.
struct Asked {
    message: Message,
    /// How many answers had promised something when it came.
    after: u64,
}

struct World {
    seed: u64,
    canary: Option<Canary>,
    rng: fastrand::Rng,
    mood: Mood,
    clock: Arc<WorldClock>,
    now: i64,
    events: BTreeMap<(i64, u64), Event>,
    order: u64,
    disk: Disk,
    files: tempfile::TempDir,
    house: Option<House>,
    /// Tasks of the living process that answer somebody.
    asked: BTreeMap<u64, Asked>,
    next_task: u64,
    /// The engine's next round, when one is planned.
    round_at: Option<i64>,
    look_at: Option<i64>,
    jobs_run: bool,
    tills: Vec<Till>,
    /// When each till goes on.
    wakes: Vec<i64>,
    receivers: Vec<Handler>,
    promises: Promises,
    trace: Trace,
    tally: Tally,
    is_noisy: bool,
}

/// Plays a world to its end.
///
/// # Errors
/// What was wrong in it.
///
/// # Panics
/// When the machine itself fails: no folder for files can be made.
pub fn play(play: &Play) -> Result<Tally, Box<Failure>> {
    panics::watch();
    let mut world = World::new(play);
    let played = world.run(play.steps);
    played.map_err(|reason| {
        Box::new(Failure {
            seed: play.seed,
            step: world.tally.steps,
            trace: world.trace.about(&reason),
            reason,
        })
    })?;
    Ok(world.tally)
}

impl World {
    fn new(play: &Play) -> Self {
        let mut rng = fastrand::Rng::with_seed(play.seed);
        let mood = Mood::draw(&mut rng);
        let disk = Disk::from_image(play.seed, house::fresh());
        disk.lie_about_syncs(play.canary == Some(Canary::AnswersBeforeSync));
        let tills = TILLS.iter().enumerate();
        let tills = tills
            .map(|(place, partner)| Till::new(place, *partner, &mut rng))
            .collect();
        let receivers =
            (0..3).map(|partner| Handler::new(&settings(partner), MemorySeen::default()));
        Self {
            seed: play.seed,
            canary: play.canary,
            mood,
            clock: Arc::default(),
            now: 0,
            events: BTreeMap::new(),
            order: 0,
            disk,
            files: tempfile::tempdir()
                .unwrap_or_else(|error| panic!("a folder for files: {error}")),
            house: None,
            asked: BTreeMap::new(),
            next_task: 0,
            round_at: None,
            look_at: None,
            jobs_run: false,
            wakes: vec![0; TILLS.len()],
            tills,
            receivers: receivers.collect(),
            promises: Promises::default(),
            trace: Trace::default(),
            tally: Tally::default(),
            is_noisy: true,
            rng,
        }
    }

    fn run(&mut self, steps: u64) -> Result<(), String> {
        self.note(format!("{:?}", self.mood));
        self.after(0, Event::Start);
        for till in 0..self.tills.len() {
            let rest = self.rng.i64(0..20 * SECONDS);
            self.wake_in(till, rest);
        }
        self.after(SECONDS, Event::Trouble);
        while self.tally.steps < steps {
            self.step()?;
        }
        self.calm_down();
        let end = self.tally.steps + QUIET_STEPS_MAX;
        let rest_at = self.now + 75 * HOURS;
        while self.now < rest_at || !self.tally.steps.is_multiple_of(32) || !self.is_settled()? {
            if self.tally.steps >= end {
                return Err(
                    "does not settle: after so many quiet steps something is still open".into(),
                );
            }
            self.step()?;
        }
        self.judge_the_end()
    }

    fn note(&mut self, line: String) {
        self.trace.note(format!("{:>14} {line}", Seconds(self.now)));
    }

    fn after(&mut self, micros: i64, event: Event) {
        self.order += 1;
        self.events
            .insert((self.now + micros.max(0), self.order), event);
    }

    /// One event.
    fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), event)) = self.events.pop_first() else {
            return Err("nothing is left to happen".into());
        };
        self.now = self.now.max(at);
        self.clock.go_to(self.now);
        self.tally.steps += 1;
        self.happen(event)?;
        self.collect_letters();
        if panics::take() {
            return Err("something panicked".into());
        }
        if self.disk.is_dying() {
            self.die(None);
        }
        self.plan();
        if self.tally.steps.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            self.look_at_books(false)?;
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Wake(till, at) => {
                if self.wakes.get(till) == Some(&at) {
                    self.wake(till);
                }
            }
            Event::Arrive(message) => self.arrive(message),
            Event::Return(till, number, answer) => self.come_back(till, number, answer),
            Event::Poll(task) => self.poll(task)?,
            Event::Round(at) => {
                if self.round_at == Some(at) {
                    self.round();
                }
            }
            Event::Tend => {
                if let Some(house) = &mut self.house {
                    house.tend();
                }
            }
            Event::MovePages => {
                if let Some(house) = &mut self.house {
                    let moved = house.move_pages();
                    self.note(format!("pages moved: {moved}"));
                }
            }
            Event::Look(at) => {
                if self.look_at == Some(at) {
                    self.look();
                }
            }
            Event::Post(letter) => self.deliver(letter)?,
            Event::Heard(letter, heard) => {
                // The process that waited for it may be gone.
                let _ = letter.reply.send(heard);
                self.poll_all();
            }
            Event::Confirm(confirm) => self.confirm(confirm),
            Event::Trouble => self.trouble(),
            Event::Start => self.start()?,
        }
        Ok(())
    }

    fn wake(&mut self, till: usize) {
        let right = WorldClock::right(self.now);
        let Some(found) = self.tills.get_mut(till) else {
            return;
        };
        match found.go_on(right, &mut self.rng, self.is_noisy) {
            Act::Send {
                number,
                call,
                phone,
            } => {
                let request = call.seal(&found.settings);
                let message = Message {
                    till,
                    number,
                    call: *call,
                    url: request.url,
                    body: request.body,
                    is_repeated: false,
                };
                self.note(format!("till {till} sends {number}: {:?}", message.call));
                self.expect_confirmation(&message, phone);
                self.post(message);
            }
            Act::Rest(micros) => self.wake_in(till, micros),
            Act::Idle => {
                if !found.is_busy() {
                    let most = if self.is_noisy { 40 * SECONDS } else { HOURS };
                    let rest = self.rng.i64(3 * SECONDS..most);
                    self.wake_in(till, rest);
                }
            }
        }
    }

    fn come_back(
        &mut self,
        till: usize,
        number: u64,
        answer: Result<HttpAnswer, TransportFailure>,
    ) {
        let right = WorldClock::right(self.now);
        let heard = self
            .tills
            .get_mut(till)
            .and_then(|found| found.hear(number, answer, right));
        if let Some(shown) = heard {
            self.note(format!("till {till} hears {number}: {shown}"));
            self.wake_in(till, 0);
        }
    }

    fn wake_in(&mut self, till: usize, micros: i64) {
        let at = self.now + micros.max(0);
        if let Some(found) = self.wakes.get_mut(till) {
            *found = at;
        }
        self.after(micros, Event::Wake(till, at));
    }

    /// A buyer who has to confirm looks at the phone some time after the scan.
    fn expect_confirmation(&mut self, message: &Message, phone: Option<Phone>) {
        let Call::Pay(pay) = &message.call else {
            return;
        };
        let Some(phone) = phone.filter(|phone| phone.confirms) else {
            return;
        };
        let answer = if self.rng.u8(..5) == 0 {
            BuyerAnswer::Decline
        } else {
            BuyerAnswer::Accept
        };
        let confirm = Confirm {
            key: TradeKey {
                partner: pay.partner,
                id: pay.partner_trans_id.clone(),
            },
            wallet: phone.wallet(),
            answer,
        };
        let rest = self.rng.i64(SECONDS..200 * SECONDS);
        self.after(rest, Event::Confirm(confirm));
    }

    fn confirm(&mut self, confirm: Confirm) {
        let Some(house) = &self.house else {
            self.after(5 * SECONDS, Event::Confirm(confirm));
            return;
        };
        let task = house.command(Command::Confirm(confirm));
        self.begin(task);
    }

    /// A request reaches the gateway; a dead one refuses the connection.
    fn arrive(&mut self, message: Message) {
        let Some(house) = &self.house else {
            let failure = if message.is_repeated {
                TransportFailure::maybe("reset")
            } else {
                TransportFailure::never("refused")
            };
            self.answer(&message, Err(failure));
            return;
        };
        let task = house.request(&message.url, &message.body);
        let id = self.begin(task);
        self.note(format!(
            "call {} of till {} arrives",
            message.number, message.till
        ));
        let after = self.promises.answers;
        self.asked.insert(id, Asked { message, after });
    }

    fn begin(&mut self, task: Task) -> u64 {
        self.next_task += 1;
        let id = self.next_task;
        if let Some(house) = &mut self.house {
            house.tasks.insert(id, task);
        }
        self.after(0, Event::Poll(id));
        id
    }

    /// Everything under way gets its turn soon, in no order that anybody could count on.
    fn poll_all(&mut self) {
        let Some(house) = &self.house else { return };
        let tasks: Vec<u64> = house.tasks.keys().copied().collect();
        for task in tasks {
            let rest = self.rng.i64(0..2 * MILLIS);
            self.after(rest, Event::Poll(task));
        }
    }

    fn poll(&mut self, task: u64) -> Result<(), String> {
        let Some(done) = self.house.as_mut().and_then(|house| house.poll(task)) else {
            return Ok(());
        };
        if self.disk.is_dying() {
            // It died in the middle of that.
            return Ok(());
        }
        match done {
            Done::Answer(answer) => {
                let Some(Asked { message, after }) = self.asked.remove(&task) else {
                    return Ok(());
                };
                self.note(format!(
                    "call {} of till {} is answered",
                    message.number, message.till
                ));
                let settings = &self.tills.get(message.till).map(|till| &till.settings);
                if let Some(settings) = settings {
                    self.promises
                        .hear(settings, &message.call, &answer, after)?;
                }
                self.answer(&message, Ok(answer));
            }
            Done::Told(is_noted) => {
                self.note(format!("a notification was noted: {is_noted}"));
                self.look_soon(if is_noted { 0 } else { SECONDS });
            }
            Done::Jobs(is_done) => {
                self.jobs_run = false;
                self.note(format!("the daily jobs are done: {is_done}"));
                self.look_soon(SECONDS);
            }
            Done::Confirmed(outcome) => self.note(format!("a buyer answered: {outcome:?}")),
        }
        Ok(())
    }

    fn round(&mut self) {
        self.round_at = None;
        let Some(house) = &mut self.house else { return };
        let was_in_doubt = house.in_doubt();
        let step = house.step();
        let is_in_doubt = house.in_doubt();
        if is_in_doubt {
            self.note("in doubt".to_owned());
        }
        if was_in_doubt && !is_in_doubt {
            self.note("the doubt is over".to_owned());
            self.poll_all();
        }
        if step.decided > 0 {
            self.note(format!("a round of {}", step.decided));
            self.poll_all();
            self.look_soon(2 * MILLIS);
            match self.rng.u8(..8) {
                0 => self.after(MILLIS, Event::Tend),
                1 if self.is_noisy => self.after(MILLIS, Event::MovePages),
                _ => {}
            }
        }
        if let Some(due) = step.next_due {
            self.round_by(WorldClock::since_beginning(due) - self.now);
        }
    }

    /// The engine has a round in so many microseconds at the latest.
    fn round_by(&mut self, micros: i64) {
        let at = self.now + micros.max(0);
        if self.round_at.is_none_or(|planned| at < planned) {
            self.round_at = Some(at);
            self.after(micros, Event::Round(at));
        }
    }

    fn look_soon(&mut self, micros: i64) {
        let at = self.now + micros.max(0);
        if self.look_at.is_none_or(|planned| at < planned) {
            self.look_at = Some(at);
            self.after(micros, Event::Look(at));
        }
    }

    /// What the drivers of the real process do: rounds while something waits or is in doubt.
    fn plan(&mut self) {
        let Some(house) = &self.house else { return };
        if house.in_doubt() {
            self.round_by(100 * MILLIS);
        } else if house.queued() > 0 {
            let rest = self.rng.i64(0..3 * MILLIS);
            self.round_by(rest);
        }
    }

    /// Notifications and daily jobs that are due begin.
    fn look(&mut self) {
        self.look_at = None;
        let Some(house) = &self.house else { return };
        let now = house.app.clock.now();
        let mut due = house.due_letters(now);
        let next_jobs = house.next_jobs().filter(|_| !self.jobs_run);
        if next_jobs.is_some_and(|at| at <= now) {
            self.jobs_run = true;
            due.push(house.jobs());
        }
        let next = house.next_letter().into_iter().chain(next_jobs);
        let rest = next
            .filter(|at| now < *at)
            .min()
            .map(|at| at.since(now).as_micros());
        for task in due {
            self.begin(task);
        }
        // What could not be read is looked for again.
        self.look_soon(rest.unwrap_or(HOURS).clamp(MILLIS, HOURS));
    }

    fn is_settled(&mut self) -> Result<bool, String> {
        let is_calm = |till: &Till| !till.is_busy() && till.unfinished() == 0;
        if self.house.is_none() || !self.tills.iter().all(is_calm) {
            return Ok(false);
        }
        Ok(self.books()?.letters_waiting() == 0)
    }

    fn books(&self) -> Result<Books, String> {
        let path = self.disk.folder().join(spotpay_store::sqlite::FILE_NAME);
        let read = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Books::read(&Connection::open_with_flags(path, flags)?)
        };
        read().map_err(|error| format!("the file cannot be read: {error}"))
    }

    /// Every rule and every promise; a disk that is about to fail is asked another time.
    fn look_at_books(&mut self, with_files: bool) -> Result<(), String> {
        let is_ill = self.disk.planned() > 0 || self.house.as_ref().is_some_and(House::in_doubt);
        if is_ill || self.house.is_none() {
            return Ok(());
        }
        let mut books = self.books()?;
        if with_files {
            let folder = self.files.path().join("files");
            books = books
                .with_files(&folder)
                .map_err(|error| format!("the files cannot be read: {error}"))?;
        }
        if let Some(found) = books.breaks().first() {
            return Err(found.to_string());
        }
        match self.promises.broken(&books).into_iter().next() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }

    fn judge_the_end(&mut self) -> Result<(), String> {
        while self.house.as_mut().is_some_and(House::tend) {}
        self.look_at_books(true)?;
        let books = self.books()?;
        for till in &self.tills {
            if let Some(wrong) = misbeliefs(till, &books).into_iter().next() {
                return Err(wrong);
            }
        }
        self.count_doubts();
        let [trades, cancels_first, refunds, batches, files] = books.counts();
        self.tally = Tally {
            answers: self.promises.answers,
            trades,
            cancels_first,
            refunds,
            batches,
            files,
            hash: self.trace.hash() ^ self.disk.trace_hash(),
            ..self.tally
        };
        Ok(())
    }

    fn count_doubts(&mut self) {
        if let Some(house) = &self.house {
            let doubts = &house.app.engine.counters().doubts;
            self.tally.doubts += doubts.load(std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn start(&mut self) -> Result<(), String> {
        if self.house.is_some() {
            return Ok(());
        }
        let birth = Birth {
            disk: &self.disk,
            files: self.files.path(),
            clock: Arc::clone(&self.clock),
            seed: self.seed ^ self.tally.steps,
            canary: self.canary,
        };
        match House::start(&birth) {
            Ok(house) => {
                self.house = Some(house);
                self.note("the gateway has started".to_owned());
                self.look_at_books(false)?;
                self.look_soon(0);
                self.round_by(0);
            }
            Err(error) if self.is_noisy => {
                self.note(format!("the gateway does not start: {error}"));
                self.die(None);
            }
            Err(error) => return Err(format!("the gateway does not start: {error}")),
        }
        Ok(())
    }
}

/// Microseconds, shown as seconds.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:06}", self.0 / SECONDS, self.0 % SECONDS))
    }
}

/// The wall clock of a world that goes right, for troubles that set it to an hour of the day.
fn right(now: i64) -> Timestamp {
    WorldClock::right(now)
}
