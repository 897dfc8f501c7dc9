//! What goes wrong besides the network: disks, deaths, clocks, and the night.

use spotpay_disk::Fault;

use super::mood::{Mood, happens};
use super::{Event, HOURS, MILLIS, SECONDS, World, right};

impl World {
    /// Draws what goes wrong now.
    pub(super) fn trouble(&mut self) {
        if !self.is_noisy {
            return;
        }
        let mood = self.mood;
        if happens(&mut self.rng, mood.disk) {
            self.harm_the_disk();
        }
        if happens(&mut self.rng, mood.kill) {
            self.die(Some(false));
        }
        if happens(&mut self.rng, mood.power) {
            self.die(Some(true));
        }
        if happens(&mut self.rng, mood.till) {
            let till = self.rng.usize(..self.tills.len());
            self.note(format!("till {till} goes off"));
            if let Some(found) = self.tills.get_mut(till) {
                found.crash();
            }
            let rest = self.rng.i64(SECONDS..60 * SECONDS);
            self.wake_in(till, rest);
        }
        if happens(&mut self.rng, mood.clock) {
            let skew = self.rng.i64(-3 * SECONDS..3 * SECONDS);
            self.note(format!("the clock is set to {skew} off"));
            self.clock.set_skew(skew);
        }
        if happens(&mut self.rng, mood.hours) {
            self.let_hours_pass();
        }
        let rest = self.rng.i64(500 * MILLIS..8 * SECONDS);
        self.after(rest, Event::Trouble);
    }

    fn harm_the_disk(&mut self) {
        self.tally.disk_faults += 1;
        if self.rng.u8(..8) == 0 {
            let room = self.disk.used() + self.rng.u64(..40_000);
            self.note(format!("the disk has {room} bytes"));
            self.disk.set_capacity(Some(room));
            return;
        }
        let after = self.rng.u64(..30);
        let fault = match self.rng.u8(..7) {
            0 => Fault::WriteFails { after },
            1 => Fault::ShortWrite { after },
            2 => Fault::Full { after },
            3 => Fault::ReadFails { after },
            4 => Fault::TruncateFails { after: after / 10 },
            5 => Fault::SyncFails { after: after / 8 },
            _ => Fault::Dies { after },
        };
        self.note(format!("planned: {fault:?}"));
        self.disk.plan(fault);
    }

    /// The process is gone in the middle of whatever it does, with the power or without; drawn when
    /// nobody says. It starts again some seconds later.
    pub(super) fn die(&mut self, power: Option<bool>) {
        let power = power.unwrap_or_else(|| self.rng.bool());
        self.tally.deaths += 1;
        self.note(format!("the gateway dies, power cut: {power}"));
        self.disk.clear_faults();
        self.disk.set_capacity(None);
        if power {
            self.tally.power_cuts += 1;
            let rng = &mut self.rng;
            self.disk.cut_power(&mut |below| rng.u64(..below.max(1)));
        } else {
            self.disk.kill_process();
        }
        self.house = None;
        self.jobs_run = false;
        self.look_at = None;
        self.round_at = None;
        // Whoever waited for an answer finds the connection closed.
        for (_, asked) in std::mem::take(&mut self.asked) {
            let failure = spotpay_client::TransportFailure::maybe("reset");
            self.answer(&asked.message, Err(failure));
        }
        let rest = self.rng.i64(100 * MILLIS..20 * SECONDS);
        self.after(rest, Event::Start);
    }

    /// Nobody is about until something is due: the end of a code's life, the night's batch, files,
    /// settlement, midnight.
    fn let_hours_pass(&mut self) {
        // Seconds of the day in Hong Kong.
        let day = (right(self.now).as_seconds() + 8 * 3_600).rem_euclid(86_400);
        let to = |hour: i64, minute: i64| {
            let wanted = hour * 3_600 + minute * 60 - 5 - day;
            if wanted > 0 { wanted } else { wanted + 86_400 }
        };
        let seconds = match self.rng.u8(..6) {
            0 => 170,
            1 => to(23, 0),
            2 => to(9, 0),
            3 => to(15, 30),
            4 => to(24, 0),
            _ => self.rng.i64(60..6 * 3_600),
        };
        self.note(format!("{seconds} seconds go by"));
        self.now += seconds * SECONDS;
        debug_assert!(self.now < 400 * 24 * HOURS * 100);
    }

    /// From here on nothing goes wrong any more.
    pub(super) fn calm_down(&mut self) {
        self.note("all is quiet from here on".to_owned());
        self.is_noisy = false;
        self.mood = Mood::default();
        self.disk.clear_faults();
        self.disk.set_capacity(None);
        self.clock.set_skew(0);
        if self.house.is_none() {
            self.after(0, Event::Start);
        }
    }
}
